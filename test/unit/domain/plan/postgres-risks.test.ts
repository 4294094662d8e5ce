import { postgresRisks } from '../../../../src/domain/plan/plan-risks';

const risks = (from: string, to: string, jump: Parameters<typeof postgresRisks>[0]['jump'] = 'major'): string =>
  postgresRisks({ from, to, jump }).join('\n');

test.each([
  ['postgres:15.6', 'postgres:16.1'],
  ['docker.io/library/postgres:15-bookworm', 'postgres:18-trixie'],
  ['127.0.0.1:5000/data/postgres:17', 'postgres:15'],
])('a move of the official image from %s to %s is told to stop at preflight', (from, to) => {
  expect(risks(from, to)).toMatch(/data directory is of PostgreSQL (15|17), and PostgreSQL (15|16|18) never starts/);
  expect(risks(from, to)).toContain('will stop before anything is changed');
});

test('tags that only may be of another major are told as that', () => {
  expect(risks('timescale/timescaledb:2.17.2-pg16', 'timescale/timescaledb:3.0.0-pg16')).toContain('If the new image');
  expect(risks('postgres:latest', 'postgres:15', 'other')).toContain('If the new image');
});

test('within a major nothing is said of the data directory', () => {
  for (const [from, to] of [
    ['postgres:15.6', 'postgres:15.7'],
    ['postgres:latest', 'postgres:latest'],
  ] as const)
    expect(risks(from, to, from === to ? 'digest' : 'minor')).not.toContain('data directory');
});

test.each([
  ['postgres:15.6', 'postgres:15.7', 'If the base of the image changed'],
  ['postgres:15.6-bookworm', 'postgres:15.7-trixie', 'changes from bookworm to trixie'],
  ['postgres:15.6-alpine3.20', 'postgres:15.6-alpine3.21', 'changes from alpine3.20 to alpine3.21'],
  ['postgres:15.6-bookworm', 'postgres:15.6-alpine', 'changes from bookworm to alpine'],
  ['postgres:15-alpine', 'postgres:15-alpine', 'If the base of the image changed'],
])('from %s to %s the collations are warned of', (from, to, words) => {
  expect(risks(from, to, 'minor')).toContain(words);
  expect(risks(from, to, 'minor')).toContain('collation version mismatch');
});

test('the same base in both tags keeps its C library, so nothing is warned of', () => {
  expect(risks('postgres:15.6-bookworm', 'postgres:15.7-bookworm', 'minor')).toBe('');
  expect(risks('postgres:15-alpine3.20', 'postgres:15-alpine3.20', 'digest')).toBe('');
});
