import { lifecycleHooks } from '../../../../src/domain/compose/lifecycle-hooks';

// The text comes from a folder of the host: what is damaged or hostile must neither throw nor take long.

const HOOK = 'post_start: [{ command: x }]';

test.each([
  ['its own', `services: { a: { ${HOOK} } }`],
  ['by an alias', `x-a: &a { ${HOOK} }\nservices: { a: *a }`],
  ['by a merge', `x-a: &a { ${HOOK} }\nservices: { a: { <<: *a } }`],
  ['by one of several merges', `x-a: &a { ${HOOK} }\nx-b: &b {}\nservices: { a: { <<: [*b, *a] } }`],
  ['by a merge of services', `x-a: &a { a: { ${HOOK} } }\nservices: { <<: *a }`],
  [
    'with an anchor that is used often',
    `x: &x { y: 1 }\nz: [${Array(200).fill('*x').join(',')}]\nservices: { a: { ${HOOK} } }`,
  ],
])('a hook is found: %s', (_what, text) => expect(lifecycleHooks('a', [text])).toEqual(['post_start']));

test.each([
  ['of another service', `services: { b: { ${HOOK} } }`],
  ['an empty list', 'services: { a: { post_start: [] } }'],
  ['replaced by its own', `x-a: &a { ${HOOK} }\nservices: { a: { <<: *a, post_start: [] } }`],
  ['an alias without an anchor', 'services: { a: *nope }'],
  ['a merge of no map', 'services: { a: { <<: 5 } }'],
  ['no YAML', 'services: { a: ['],
  ['nested without end', '['.repeat(20_000)],
])('no hook: %s', (_what, text) => expect(lifecycleHooks('a', [text])).toEqual([]));

test('aliases of aliases are not expanded', () => {
  const levels = Array.from(
    { length: 9 },
    (_, at) => `x${at + 1}: &x${at + 1} [${Array(10).fill(`*x${at}`).join(',')}]`,
  );
  const bomb = ['x0: &x0 [a,a]', ...levels, `services: { a: { labels: *x9, ${HOOK} } }`].join('\n');
  expect(lifecycleHooks('a', [bomb])).toEqual(['post_start']);
});

test('merges that cannot be followed to their end count as hooks', () => {
  const levels = Array.from(
    { length: 9 },
    (_, at) => `x${at + 1}: &x${at + 1} { <<: [${Array(10).fill(`*x${at}`).join(',')}] }`,
  );
  const bomb = ['x0: &x0 { y: 1 }', ...levels, 'services: { a: { <<: *x9 } }'].join('\n');
  expect(lifecycleHooks('a', [bomb])).toEqual(['post_start', 'pre_stop']);
});
