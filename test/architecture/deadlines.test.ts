import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// A test on a real component fails when the component is broken, never because the machine is slow: a deadline only ends
// what hangs. jest.setup.js gives each test 600 s; a waiter (`eventually`) takes 120 s unless it sees that it is broken.

const TEST = join(__dirname, '..');
const SHORTEST_MS = 60_000;
const FOLDERS = /^(?:e2e|integration|contract|field|support|workflow|http)\//;

/** Deadlines of the product, which these tests let run out. */
const OF_THE_PRODUCT = [
  'e2e/compose.contract.test.ts: timeoutMs: 50',
  'e2e/s3-storage.test.ts: silenceMs: 3_000',
  'integration/probes.test.ts: timeoutMs = 30_000',
  'integration/release-notes.long.test.ts: withinMs: 300',
  'integration/s3-faults.long.test.ts: silenceMs: 2_000',
  'integration/s3-faults.long.test.ts: silenceMs: 3_000',
  'integration/ses-faults.test.ts: TOO_LATE_MS = 150',
  'integration/smtp-faults.test.ts: TOO_LATE_MS = 300',
];

const DEADLINES = [
  /jest\.setTimeout\((?<ms>[\d_]+)\)/g,
  /^\s*\}, (?<ms>[\d_]+)\);$/gm,
  /\b(?:\w*[tT]imeoutMs|withinMs|silenceMs|TOO_LATE_MS)(?:: | = )(?<ms>[\d_]+)/g,
];

function deadlinesIn(file: string): string[] {
  const text = readFileSync(join(TEST, file), 'utf8');
  return DEADLINES.flatMap((deadline) => [...text.matchAll(deadline)])
    .filter(({ groups }) => Number(groups?.['ms']?.replaceAll('_', '')) < SHORTEST_MS)
    .map(([found]) => `${file}: ${found.trim()}`);
}

test('no test has a deadline that a slow machine can miss', () => {
  const files = readdirSync(TEST, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
  const looked = files.filter((file) => FOLDERS.test(file));
  expect(looked.length).toBeGreaterThan(100);
  expect(looked.flatMap(deadlinesIn).sort()).toEqual(OF_THE_PRODUCT);
});
