import { identityPattern, readVerify, ruleText } from '../../../../src/domain/signatures/signature';

const GITHUB = 'https://token.actions.githubusercontent.com';

test.each(['off', 'key:/keys/cosign.pub', `identity:https://github\\.com/acme/.+@${GITHUB}`])('reads %s', (text) => {
  const rule = readVerify(text);
  expect(rule).not.toHaveProperty('problem');
  expect(ruleText(rule as Exclude<typeof rule, { problem: string }>)).toBe(text);
});

test('takes the last @ before an address as the end of the pattern', () => {
  expect(readVerify('identity:.+@example\\.org@https://accounts.google.com')).toEqual({
    kind: 'identity',
    pattern: '.+@example\\.org',
    issuer: 'https://accounts.google.com',
  });
});

test.each([
  ['', /must be key:/],
  ['on', /must be key:/],
  ['KEY:/keys/cosign.pub', /must be key:/],
  ['key:', /absolute path/],
  ['key:cosign.pub', /absolute path/],
  ['key:/keys/../etc/shadow', /absolute path/],
  ['key:/keys/\u0000', /absolute path/],
  ['identity:', /identity:REGEX@ISSUER/],
  ['identity:me@example.org', /identity:REGEX@ISSUER/],
  ['identity:.*@https://', /identity:REGEX@ISSUER/],
  ['identity:(@https://accounts.google.com', /cannot be read/],
  ['identity:me)|(?:.*@https://accounts.google.com', /cannot be read/],
  [`key:/${'x'.repeat(1000)}`, /at most/],
])('refuses %j', (text, problem) => {
  expect(readVerify(text)).toEqual({ problem: expect.stringMatching(problem) });
});

test('matches a name as a whole', () => {
  const pattern = identityPattern('a@example\\.org|b@example\\.org');
  expect(pattern.test('a@example.org')).toBe(true);
  expect(pattern.test('a@example.org.evil.net')).toBe(false);
  expect(pattern.test('xb@example.org')).toBe(false);
});
