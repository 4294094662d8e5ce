import { type NotesSource, readSource, whyNotAllowed } from '../../../../src/domain/notes/source';
import { releasesOfChangelog } from '../../../../src/domain/notes/versions';

const GITHUB = 'https://api.github.com/repos/nginx/nginx/releases';

test.each([
  'https://github.com/nginx/nginx',
  'https://www.github.com/nginx/nginx/',
  'https://github.com/nginx/nginx.git#abc:folder',
  'git@github.com:nginx/nginx.git',
  'ssh://git@github.com/nginx/nginx.git',
  'git+https://github.com/nginx/nginx',
  'https://github.com/nginx/nginx/releases',
  'https://github.com/nginx/nginx/tree/master/docker?x=1',
  'https://api.github.com/repos/nginx/nginx',
])('%s is the project on GitHub', (text) => {
  expect(readSource(text)).toEqual({
    url: 'https://github.com/nginx/nginx/releases',
    asked: [{ forge: 'github', api: GITHUB }],
  });
});

test('a project of GitLab may be in several groups', () => {
  expect(readSource('https://gitlab.com/a/b/c/-/tree/main')).toEqual({
    url: 'https://gitlab.com/a/b/c/-/releases',
    asked: [{ forge: 'gitlab', api: 'https://gitlab.com/api/v4/projects/a%2Fb%2Fc/releases' }],
  });
});

test('Codeberg is a Forgejo', () => {
  expect(readSource('https://codeberg.org/forgejo/forgejo')?.asked).toEqual([
    { forge: 'gitea', api: 'https://codeberg.org/api/v1/repos/forgejo/forgejo/releases' },
  ]);
});

test('of any other host each forge is asked in turn', () => {
  const apis = readSource('http://git.lan:3000/team/app')?.asked.map(({ api }) => api);
  expect(apis).toEqual([
    'http://git.lan:3000/api/v1/repos/team/app/releases',
    'http://git.lan:3000/api/v4/projects/team%2Fapp/releases',
    'http://git.lan:3000/api/v3/repos/team/app/releases',
    'http://git.lan:3000/repos/team/app/releases',
  ]);
  expect(readSource('https://gitlab.example.org/a/b')?.asked[0]).toMatchObject({ forge: 'gitlab' });
});

test.each([
  ['http://git.lan:3000/api/v1/repos/team/app', 'gitea', 'http://git.lan:3000/api/v1/repos/team/app/releases'],
  ['https://x.org/git/api/v1/repos/team/app/releases', 'gitea', 'https://x.org/git/api/v1/repos/team/app/releases'],
  ['https://x.org/api/v4/projects/a%2Fb', 'gitlab', 'https://x.org/api/v4/projects/a%2Fb/releases'],
  ['https://x.org/api/v3/repos/team/app', 'github', 'https://x.org/api/v3/repos/team/app/releases'],
  ['http://127.0.0.1:8000/repos/team/app', 'github', 'http://127.0.0.1:8000/repos/team/app/releases'],
])('the address of an API says which forge it is: %s', (text, forge, api) => {
  expect(readSource(text)?.asked).toEqual([{ forge, api }]);
});

test.each([
  [
    'https://github.com/a/b/blob/main/docs/CHANGELOG.md',
    'https://api.github.com/repos/a/b/contents/docs/CHANGELOG.md?ref=main',
  ],
  ['https://gitlab.com/a/b/-/blob/main/CHANGELOG.md', 'https://gitlab.com/a/b/-/raw/main/CHANGELOG.md'],
  ['https://codeberg.org/a/b/src/branch/main/CHANGELOG.md', 'https://codeberg.org/a/b/raw/branch/main/CHANGELOG.md'],
  ['https://example.org/app/changes.txt', 'https://example.org/app/changes.txt'],
])('%s is a changelog', (text, api) => {
  expect(readSource(text)).toMatchObject({ url: text, asked: [{ forge: 'changelog', api }] });
});

test.each([
  'javascript:alert(1)',
  'ftp://example.org/a/b',
  'https://user:pass@github.com/a/b',
  'no address',
  '',
  `https://github.com/${'a'.repeat(600)}/b`,
])('%s is no source', (text) => expect(readSource(text)).toBeNull());

test('an address without a project is a link only', () => {
  expect(readSource('https://example.org/')).toEqual({ url: 'https://example.org/', asked: [] });
});

describe('hosts', () => {
  const why = (url: string, ...hosts: { host: string; port: number | null }[]): string | null =>
    whyNotAllowed(new URL(url), hosts);
  test('the public forges by https at their own port', () => {
    expect(why('https://api.github.com/repos')).toBeNull();
    expect(why('http://github.com/a')).toMatch(/does not use TLS/);
    expect(why('https://github.com:8443/a')).toMatch(/list github.com:8443/);
  });
  test('others only if they are listed, plain HTTP only with the port', () => {
    expect(why('https://git.lan/a')).toMatch(/list git\.lan in PILOT_NOTES_HOSTS/);
    expect(why('https://git.lan/a', { host: 'git.lan', port: null })).toBeNull();
    expect(why('https://git.lan:8443/a', { host: 'git.lan', port: null })).toBeNull();
    expect(why('http://git.lan:3000/a', { host: 'git.lan', port: null })).toMatch(/list git\.lan:3000/);
    expect(why('http://git.lan:3000/a', { host: 'git.lan', port: 3000 })).toBeNull();
    expect(why('http://git.lan:3001/a', { host: 'git.lan', port: 3000 })).not.toBeNull();
  });
});

test('a changelog has a release for each heading with a version', () => {
  const text =
    '# Changelog\nIntro\n\n## [Unreleased]\n- x\n\n## [1.2.0] - 2025-01-01\n### Breaking\n- a\n\n## v1.1.0\n- b\n';
  expect(releasesOfChangelog(text, 'https://example.org/c.md').map(({ tag, text: body }) => [tag, body])).toEqual([
    ['1.2.0', '### Breaking\n- a'],
    ['v1.1.0', '- b'],
  ]);
});

test.each([
  'https://gitlab.com/api/v4/projects/%2F%3A',
  'https://gitlab.com/api/v4/projects/%2Fevil.example%2Fx',
  'https://github.com/.git/:',
  'https://github.com/.git/evil.example',
  'https://git.example.org/.git/:/a/b',
  'https://git.example.org/.git/evil.example/a/b',
  'https://git.example.org/.git/.git/.git',
])('%s is read without an error, and leads to no host but its own', (text) => {
  const source = readSource(text) as NotesSource;
  const own = new URL(text).hostname;
  for (const address of [source.url, ...source.asked.map(({ api }) => api)])
    expect([own, 'api.github.com']).toContain(new URL(address).hostname);
});
