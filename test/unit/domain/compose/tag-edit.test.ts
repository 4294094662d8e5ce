import { applyEdit, decideTagEdit, type TagDecision } from '../../../../src/domain/compose/tag-edit';

const OLD = 'nginx:1.27.3';
const NEW = 'nginx:1.27.4';

interface Files {
  compose: string | string[];
  env?: string | string[];
}

function decide({ compose, env = [] }: Files, from = OLD, to = NEW): TagDecision {
  const named = (texts: string | string[], name: string) =>
    [texts].flat().map((text, index) => ({ path: `/srv/web/${index}${name}`, text }));
  return decideTagEdit({
    ...{ service: 'web', oldReference: from, newReference: to },
    composeFiles: named(compose, '.yml'),
    envFiles: named(env, '.env'),
  });
}

/** The whole text of the one file after the edit; fails where there is none. */
function edited(files: Files, from = OLD, to = NEW): string {
  const decision = decide(files, from, to);
  if (decision.kind !== 'edit') throw new Error(JSON.stringify(decision));
  const { path } = decision.edit;
  const texts = [path.endsWith('.env') ? (files.env ?? []) : files.compose].flat();
  return applyEdit(texts[Number(/(\d+)\.\w+$/.exec(path)?.[1])] as string, decision.edit);
}

function reason(files: Files, from = OLD, to = NEW): string {
  const decision = decide(files, from, to);
  return decision.kind === 'unsure' ? decision.reason : JSON.stringify(decision);
}

describe('the image line is changed in place', () => {
  test.each([
    ['plain', 'services:\n  web:\n    image: nginx:1.27.3 # pinned\n    ports: ["80:80"]\n'],
    ['double quotes', 'services:\n  web:\n    image: "nginx:1.27.3"\n'],
    ['single quotes', "services: # all\n  web:\n    image: 'nginx:1.27.3'   # pinned\n\n\n"],
    ['flow style', 'services: {db: {image: "x:1"}, web: {restart: always, image: nginx:1.27.3}}'],
    ['JSON', '{"services":{"web":{"image":"nginx:1.27.3","labels":{"image":"nginx:1.27.3"}}}}'],
    ['CRLF and tabs behind it', 'services:\r\n  web:\r\n    image: nginx:1.27.3\t\r\n    restart: always\r\n'],
    ['a byte order mark', '\ufeffservices:\n  web:\n    image: nginx:1.27.3\n'],
    ['letters beyond ASCII before it', '# grüße 😀\nservices:\n  web:\n    image: nginx:1.27.3\n'],
    ['an explicit key', 'services:\n  ? web\n  : image: nginx:1.27.3\n'],
    ['on a line of its own', 'services:\n  web:\n    image:\n      nginx:1.27.3\n'],
    [
      'a merged anchor that has another image',
      'x-a: &a {image: x:1}\nservices:\n  web:\n    <<: *a\n    image: nginx:1.27.3\n',
    ],
    ['an anchor that nobody uses', 'services:\n  web: &web\n    image: &img nginx:1.27.3\n'],
    ['a fallback', 'services:\n  web:\n    image: nginx:${TAG:-1.27.3}\n'],
    ['the whole in a fallback', 'services:\n  web:\n    image: "${IMAGE-nginx:1.27.3}"\n'],
  ])('%s', (_, compose) => {
    const at = compose.indexOf('1.27.3', compose.search(/\bweb\b/));
    expect(edited({ compose })).toBe(`${compose.slice(0, at)}1.27.4${compose.slice(at + 6)}`);
  });

  it('and only that of this service', () => {
    const compose =
      'services:\n  a:\n    image: nginx:1.27.3\n  web:\n    image: nginx:1.27.3\n  z:\n    image: nginx:1.27.3\n';
    expect(edited({ compose }).split('\n')[4]).toBe('    image: nginx:1.27.4');
    expect(edited({ compose }).replace('1.27.4', '1.27.3')).toBe(compose);
  });

  it('with line and words for a person', () => {
    const compose = 'services:\n  web:\n    image: nginx:${TAG:-1.27.3}\n';
    expect(decide({ compose })).toMatchObject({
      edit: {
        path: '/srv/web/0.yml',
        line: 3,
        shown: { before: 'image: nginx:${TAG:-1.27.3}', after: 'image: nginx:${TAG:-1.27.4}' },
      },
    });
  });

  it('where a tag is named for the first time', () => {
    expect(edited({ compose: 'services: {web: {image: nginx}}' }, 'nginx', 'nginx:1.28')).toBe(
      'services: {web: {image: nginx:1.28}}',
    );
  });

  it('in the last of several files that has one', () => {
    const compose = [
      'services: {web: {image: "nginx:1"}}',
      'services: {web: {image: "nginx:1.27.3"}}',
      'services: {db: {image: x}}',
    ];
    expect(edited({ compose })).toBe('services: {web: {image: "nginx:1.27.4"}}');
    expect(decide({ compose })).toMatchObject({ edit: { path: '/srv/web/1.yml' } });
  });
});

describe('the variable of the .env file is changed in place', () => {
  const compose = 'services: {web: {image: "nginx:${TAG}"}}';
  test.each([
    ['plain', '# versions\nOTHER=1\nTAG=1.27.3\nLAST=x'],
    ['with a comment and blanks', 'TAG = 1.27.3   # pinned\r\n'],
    ['double quotes', 'export TAG="1.27.3"\n'],
    ['single quotes', "TAG='1.27.3' # x\n"],
    ['like YAML', 'TAG: 1.27.3\n'],
    ['beside what looks like it', '#TAG=1.27.3\nMY_TAG=1.27.3\nTEXT="\nTAG=1.27.3\n"\nTAG=1.27.3\nTAGS=1.27.3\n'],
    ['beside secrets that it does not read', 'PASSWORD="a$b\\"c"\nTAG=1.27.3\n'],
  ])('%s', (_, env) => {
    const at = /^(?:export )?TAG *[=:] *["']?(?=1\.27\.3(?!\n"))/m.exec(env)!;
    const offset = at.index + at[0].length;
    expect(edited({ compose, env })).toBe(`${env.slice(0, offset)}1.27.4${env.slice(offset + 6)}`);
  });

  it('of the last file that sets it, and where it holds the whole image', () => {
    const env = ['IMAGE=x:1\n', 'IMAGE=nginx:1.27.3\n', 'OTHER=1\n'];
    expect(edited({ compose: 'services: {web: {image: "$IMAGE"}}', env })).toBe('IMAGE=nginx:1.27.4\n');
  });

  it('and a fallback only where the variable is not set', () => {
    const withFallback = 'services: {web: {image: "nginx:${TAG:-1.27.3}"}}';
    expect(edited({ compose: withFallback, env: 'TAG=1.27.3\n' })).toBe('TAG=1.27.4\n');
    expect(edited({ compose: withFallback, env: 'TAG=\n' })).toContain('${TAG:-1.27.4}');
    expect(reason({ compose: withFallback.replace(':-', '-'), env: 'TAG=\n' })).toContain('it names nginx: there');
  });

  it('also where the new tag ends with the old one', () => {
    expect(edited({ compose, env: 'TAG=7\n' }, 'nginx:7', 'nginx:17')).toBe('TAG=17\n');
  });

  it('where one part of several takes the change', () => {
    const several = 'services: {web: {image: "${REGISTRY:-r.example}/nginx:${TAG}-${OS}"}}';
    const env = 'TAG=1.27\nOS=alpine\n';
    expect(edited({ compose: several, env }, 'r.example/nginx:1.27-alpine', 'r.example/nginx:1.28-alpine')).toBe(
      'TAG=1.28\nOS=alpine\n',
    );
  });
});

describe('what is there already', () => {
  it('is written', () => {
    expect(decide({ compose: 'services: {web: {image: "nginx:1.27.4"}}' }).kind).toBe('written');
    expect(decide({ compose: 'services: {web: {image: "nginx:$TAG"}}', env: 'TAG=1.27.4' }).kind).toBe('written');
  });
});

describe('what cannot be edited for certain is left to a person, with the reason', () => {
  test.each<[string, Files, RegExp]>([
    [
      'another image',
      { compose: 'services: {web: {image: "nginx:1.26"}}' },
      /names nginx:1.26 .*created from nginx:1.27.3/,
    ],
    ['an alias', { compose: 'x: &i nginx:1.27.3\nservices: {web: {image: *i }}' }, /not plain text/],
    ['an aliased service', { compose: 'x: &w {image: "nginx:1.27.3"}\nservices: {web: *w }' }, /alias \*w/],
    ['a shared anchor', { compose: 'services:\n  web: &w\n    image: nginx:1.27.3\n  b:\n    <<: *w\n' }, /anchor &w/],
    ['a shared value', { compose: 'services:\n  web: {image: &i nginx:1.27.3}\n  b: {image: *i}\n' }, /anchor &i/],
    ['a merge', { compose: 'x: &w {image: "nginx:1.27.3"}\nservices: {web: {<<: *w}}' }, /by "<<"/],
    ['extends', { compose: 'services: {base: {image: "nginx:1.27.3"}, web: {extends: base}}' }, /by "extends"/],
    [
      'being extended',
      { compose: 'services: {b: {extends: {service: web}}, web: {image: "nginx:1.27.3"}}' },
      /service b takes/,
    ],
    ['a tag of Compose', { compose: 'services: {web: {image: !reset "nginx:1.27.3"}}' }, /tag !reset/],
    [
      'a tag on the service',
      { compose: ['services: {web: {image: "nginx:1.27.3"}}', 'services: {web: !override {}}'] },
      /tag !override/,
    ],
    ['two documents', { compose: 'services: {web: {image: "nginx:1.27.3"}}\n---\na: 1\n' }, /several YAML documents/],
    ['twice', { compose: 'services:\n  web:\n    image: nginx:1\n    image: nginx:1.27.3\n' }, /twice/],
    ['an escape', { compose: 'services: {web: {image: "nginx:1\\u002e27.3"}}' }, /plain text on one line/],
    ['a block', { compose: 'services:\n  web:\n    image: >-\n      nginx:1.27.3\n' }, /plain text on one line/],
    ['no YAML', { compose: 'services: {web: {image: "nginx' }, /not valid YAML/],
    ['not there', { compose: 'include: [web.yml]\nservices: {db: {image: x}}' }, /no compose file .*include/],
    ['nothing', { compose: '' }, /no compose file/],
    ['a list', { compose: 'services: [web]' }, /as Compose expects/],
    ['a list as image', { compose: 'services: {web: {image: [nginx]}}' }, /not plain text/],
    ['a number', { compose: 'services: {web: {image: 12}}' }, /plain text on one line/],
    ['a variable of the shell', { compose: 'services: {web: {image: "nginx:$TAG"}}' }, /variable TAG, which no .env/],
    ['a dollar', { compose: 'services: {web: {image: "nginx:$$TAG"}}' }, /does not read/],
    ['a replacement', { compose: 'services: {web: {image: "nginx:${TAG:+1.27.3}"}}' }, /does not read/],
    ['nesting', { compose: 'services: {web: {image: "nginx:${TAG:-${OTHER}}"}}' }, /does not read/],
    [
      'a shared variable',
      { compose: 'services: {web: {image: "nginx:$TAG"}, b: {image: "x:${TAG}"}}', env: 'TAG=1.27.3' },
      /TAG, which is used elsewhere/,
    ],
    [
      'a variable within .env',
      { compose: 'services: {web: {image: "nginx:$TAG"}}', env: 'TAG=1.27.3\nB=${TAG}' },
      /used elsewhere/,
    ],
    ['a variable set twice', { compose: 'services: {web: {image: "nginx:$TAG"}}', env: 'TAG=1\nTAG=1.27.3' }, /twice/],
    [
      'a variable of variables',
      { compose: 'services: {web: {image: "nginx:$TAG"}}', env: 'A=1\nTAG=$A.27.3' },
      /more than plain text/,
    ],
    [
      'an odd .env',
      { compose: 'services: {web: {image: "nginx:$TAG"}}', env: 'TAG="1.27.3' },
      /0.env is written in a way/,
    ],
  ])('%s', (_, files, why) => {
    expect(reason(files)).toMatch(why);
  });

  it('such as several parts that could take the change, or would all have to', () => {
    const files = { compose: 'services: {web: {image: "nginx:${A}.${B}"}}', env: 'A=1\nB=27' };
    expect(reason(files, 'nginx:1.27', 'nginx:2.0')).toMatch(/several parts/);
    const joined = { compose: 'services: {web: {image: "nginx:1.2$B"}}', env: 'B=-alpine' };
    expect(reason(joined, 'nginx:1.2-alpine', 'nginx:1.2.1-alpine')).toMatch(/several parts/);
  });

  it('with the place, as far as it is known', () => {
    expect(decide({ compose: 'services:\n  web:\n    image: nginx:1.26\n' })).toMatchObject({
      place: { path: '/srv/web/0.yml', line: 3, shown: 'image: nginx:1.26' },
    });
    expect(decide({ compose: 'services:\n  web:\n    <<: *w\n' })).toMatchObject({ place: { line: 3, shown: null } });
  });
});
