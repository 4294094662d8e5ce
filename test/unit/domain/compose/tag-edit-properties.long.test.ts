import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { readEnvFile } from '../../../../src/domain/compose/variables';
import { applyEdit, decideTagEdit, type TagDecision } from '../../../../src/domain/compose/tag-edit';

const tag = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,12}$/);
const repository = fc.constantFrom('nginx', 'gitea/gitea', '127.0.0.1:5000/team/app', 'ghcr.io/a/b');
const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/).filter((text) => text !== 'services');
const anything = fc.dictionary(
  fc.stringMatching(/^[a-z_]{1,8}$/).filter((key) => !['image', 'extends', 'services'].includes(key)),
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string(), { maxLength: 3 })),
  { maxKeys: 4 },
);
/** All the ways in which the same file may be laid out. */
const layout = fc.record({
  indent: fc.integer({ min: 1, max: 6 }),
  collectionStyle: fc.constantFrom('any' as const, 'block' as const, 'flow' as const),
  defaultStringType: fc.constantFrom('PLAIN' as const, 'QUOTE_DOUBLE' as const, 'QUOTE_SINGLE' as const),
  defaultKeyType: fc.constantFrom('PLAIN' as const, 'QUOTE_DOUBLE' as const),
  lineWidth: fc.constant(0),
});
const comment = fc.stringMatching(/^[ -~]{0,30}$/).map((text) => `# ${text.replaceAll('$', '')}\n`);

function decide(compose: string, env: string, oldReference: string, newReference: string): TagDecision {
  return decideTagEdit({
    ...{ service: 'web', oldReference, newReference },
    composeFiles: [{ path: '/p/compose.yml', text: compose }],
    envFiles: [{ path: '/p/.env', text: env }],
  });
}

/** The decision must be an edit; its text before and after differ in that one value only. */
function edited(text: string, decision: TagDecision): string {
  if (decision.kind !== 'edit') throw new Error(JSON.stringify(decision));
  const { offset, before, after } = decision.edit;
  const result = applyEdit(text, decision.edit);
  expect(text.slice(offset, offset + before.length)).toBe(before);
  expect(result.slice(0, offset) + before + result.slice(offset + after.length)).toBe(text);
  return result;
}

it('an edit changes the image of the service, and nothing else that the file says', () => {
  fc.assert(
    fc.property(
      ...[repository, tag, tag, anything, fc.dictionary(name, anything, { maxKeys: 3 }), anything, layout, comment],
      (image, from, to, own, others, top, style, remark) => {
        fc.pre(from !== to);
        const services = { ...others, web: { ...own, image: `${image}:${from}` } };
        const text = `${remark}${stringify({ ...top, services }, style)}${remark}`;
        const result = edited(text, decide(text, '', `${image}:${from}`, `${image}:${to}`));
        const expected = parse(text) as { services: Record<string, object> };
        expected.services['web'] = { ...expected.services['web'], image: `${image}:${to}` };
        expect(parse(result)).toEqual(expected);
      },
    ),
    { numRuns: 1_500 },
  );
});

it('an edit of .env changes one value, and nothing else that the file says', () => {
  const value = fc.stringMatching(/^[A-Za-z0-9 ._/-]{0,12}$/).map((text) => text.trim());
  const line = fc.oneof(
    comment,
    fc
      .tuple(fc.stringMatching(/^[A-Z]{2,6}$/), value, fc.constantFrom('"', "'", ''))
      .map(([key, text, quote]) => `${key}=${quote}${text}${quote}\n`),
  );
  const lines = fc.array(line, { maxLength: 5 }).map((some) => some.filter((one) => !one.startsWith('TAG=')));
  fc.assert(
    fc.property(lines, lines, tag, tag, fc.constantFrom('"', "'", ''), (before, behind, from, to, quote) => {
      fc.pre(from !== to);
      const text = `${before.join('')}export TAG = ${quote}${from}${quote}\n${behind.join('')}`;
      const compose = 'services: {web: {image: "nginx:${TAG}"}}';
      const result = edited(text, decide(compose, text, `nginx:${from}`, `nginx:${to}`));
      const told = (of: string) => readEnvFile(of)?.map((entry) => [entry.name, entry.value]);
      expect(told(result)).toEqual(told(text)?.map(([key, held]) => [key, key === 'TAG' ? to : held]));
    }),
    { numRuns: 1_500 },
  );
});

it('whatever a file holds, the decision is one of three, and never an error', () => {
  const pieces = fc.constantFrom(
    ...['services:', ' web:', ' image:', '\n', '  ', '&a ', '*a', '<<: *a', '{', '}', '[', ']', '- ', '? ', ': ', '"'],
    ...[
      "'",
      '|\n',
      '>-\n',
      '#',
      '!reset ',
      '---\n',
      '...\n',
      '${',
      '}',
      '$',
      'nginx:1',
      'extends: web',
      '\t',
      '\u2028',
      '\0',
    ],
  );
  const text = fc.oneof(
    fc.array(pieces, { maxLength: 40 }).map((some) => some.join('')),
    fc.string(),
  );
  fc.assert(
    fc.property(text, text, (compose, env) => {
      const decision = decide(compose, env, 'nginx:1', 'nginx:2');
      expect(['edit', 'written', 'unsure']).toContain(decision.kind);
      if (decision.kind === 'edit' && decision.edit.path === '/p/compose.yml') edited(compose, decision);
    }),
    { numRuns: 5_000 },
  );
});

describe('what is made to exhaust a reader', () => {
  const bomb = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`).join('\n');
  const image = 'services:\n  web:\n    image: nginx:1\n';
  test.each([
    ['a billion laughs beside the image', `a0: &a0 lol\n${bomb}\n${image}`, 'edit'],
    ['nested lists', `${image}x: ${'['.repeat(100_000)}`, 'unsure'],
    ['nested maps', `${'{a: '.repeat(50_000)}`, 'unsure'],
    ['nested blocks', `${Array.from({ length: 400 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')}`, 'unsure'],
    ['very many keys', `${image}${Array.from({ length: 20_000 }, (_, i) => `k${i}: 1\n`).join('')}`, 'edit'],
    ['very many anchors', `${image}${Array.from({ length: 10_000 }, (_, i) => `k${i}: &a${i} 1\n`).join('')}`, 'edit'],
    ['one long line', `${image}x: ${'"'.repeat(200_001)}`, 'unsure'],
    ['one long variable', `services: {web: {image: "${'${A'.repeat(60_000)}"}}`, 'unsure'],
    ['an alias to itself', `services: &s {web: {image: "nginx:1", x: *s}}`, 'unsure'],
  ])('%s is read to an end', (_, text, kind) => {
    expect(decide(text, '', 'nginx:1', 'nginx:2').kind).toBe(kind);
  });

  it('and so is such a .env file', () => {
    const compose = 'services: {web: {image: "nginx:$TAG"}}';
    for (const env of [`TAG=${'"\\'.repeat(100_000)}`, 'A="'.repeat(60_000), '='.repeat(200_000), ' '.repeat(200_000)])
      expect(decide(compose, env, 'nginx:1', 'nginx:2').kind).toBe('unsure');
  });
});
