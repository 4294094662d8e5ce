import fc from 'fast-check';
import { compileGlob, Steps } from '../../../src/domain/text/glob';

const unlimited = (): Steps => new Steps(Infinity, () => new Error('never'));
const matches = (pattern: string, path: string): boolean => compileGlob(pattern)(path, unlimited());

test.each([
  ['/etc/nginx/conf.d/*.conf', '/etc/nginx/conf.d/a.conf', true],
  ['/etc/nginx/conf.d/*.conf', '/etc/nginx/conf.d/.conf', true],
  ['/etc/nginx/conf.d/*.conf', '/etc/nginx/conf.d/a.conf.bak', false],
  ['/etc/nginx/conf.d/*.conf', '/etc/nginx/conf.d/b/a.conf', false],
  ['/etc/nginx/*/a.conf', '/etc/nginx/x/a.conf', true],
  ['/a?c', '/abc', true],
  ['/a?c', '/a/c', false],
  ['/a[bx-z]c', '/ayc', true],
  ['/a[bx-z]c', '/acc', false],
  ['/a[!b]c', '/axc', true],
  ['/a[!b]c', '/abc', false],
  ['/a[]b]c', '/a]c', true],
  ['/a[bc', '/a[bc', true],
  ['/a\\*c', '/a*c', true],
  ['/a\\*c', '/abc', false],
  ['/a.c', '/abc', false],
  ['/**', '/a', true],
  ['/exact', '/exact', true],
  ['/exact', '/exactly', false],
])('%s matches %s: %s', (pattern, path, expected) => expect(matches(pattern, path)).toBe(expected));

const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '/'), maxLength: 12 });

test('it agrees with a regular expression where there is one', () => {
  const regex = (glob: string): RegExp => new RegExp(`^${glob.replace(/\*+/g, '[^/]*').replace(/\?/g, '[^/]')}$`);
  fc.assert(
    fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 }), (pattern, path) => {
      expect(matches(pattern, path)).toBe(regex(pattern).test(path));
    }),
    { numRuns: 5_000 },
  );
});

test('the work is bounded in steps by both lengths, however many stars there are', () => {
  const hostile = fc.tuple(letters, letters).map(([one, other]) => [one.repeat(20), other.repeat(20)] as const);
  fc.assert(
    fc.property(hostile, ([pattern, path]) => {
      const steps = unlimited();
      compileGlob(pattern)(path, steps);
      expect(steps.taken).toBeLessThanOrEqual(2 * (pattern.length + 1) * (path.length + 1) + 1);
    }),
    { numRuns: 1_000 },
  );
});

test('the pattern that blocked for minutes takes some thousand steps', () => {
  const steps = unlimited();
  expect(compileGlob(`/${'*a'.repeat(30)}b`)(`/${'a'.repeat(60)}`, steps)).toBe(false);
  expect(steps.taken).toBeLessThan(10_000);
});
