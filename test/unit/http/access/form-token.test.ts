import { formToken, isFormToken } from '../../../../src/http/access/form-token';
import { Secret } from '../../../../src/lib/secret';

const secret = new Secret('form-secret');
const made = new Date('2026-11-24T11:59:00.000Z');
const later = (hours: number): Date => new Date(made.getTime() + hours * 3_600_000);
const token = formToken(secret, 'approve', 'A', made);

test('holds for its action and its id, overnight, and then no more', () => {
  expect(isFormToken(secret, token, 'approve', 'A', made)).toBe(true);
  expect(isFormToken(secret, token, 'approve', 'A', later(12))).toBe(true);
  expect(isFormToken(secret, token, 'approve', 'A', later(24.1))).toBe(false);
  expect(isFormToken(secret, token, 'approve', 'A', later(-12))).toBe(false);
});

test.each([
  ['another action', 'decline', 'A'],
  ['another id', 'approve', 'B'],
  ['the two run together', 'approveA', ''],
])('not for %s', (_what, action, id) => {
  expect(isFormToken(secret, token, action, id, made)).toBe(false);
});

test('not by another secret, and not altered, cut or missing', () => {
  expect(isFormToken(new Secret('other'), token, 'approve', 'A', made)).toBe(false);
  const altered = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`;
  for (const wrong of ['', 'x', token.slice(1), `${token}AAAA`, altered]) {
    expect(isFormToken(secret, wrong, 'approve', 'A', made)).toBe(false);
  }
});
