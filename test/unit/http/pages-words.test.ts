import { ago } from '../../../src/http/pages/words';
import { codeAsText } from '../../../src/domain/format';

const now = new Date('2026-11-24T12:00:00.000Z');
const at = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();

test.each([
  [0, 'now'],
  [-12, '12 s ago'],
  [-3600 * 5, '5 h ago'],
  [-86_400 * 4 - 5, '4 days ago'],
  [7_200, 'in 2 h'],
  [86_400 * 3, 'in 3 days'],
  [86_400 * 3 - 60, 'in 3 days'],
  [86_400 * 2.4, 'in 2 days'],
  [86_400 * 2 - 60, 'in 47 h'],
])('%i s from now is %s', (seconds, words) => {
  expect(ago(at(seconds), now)).toBe(words);
});

test('a code is told as words', () => {
  expect(codeAsText('rollback_health_check')).toBe('Rollback health check');
});
