import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

interface Row {
  line: string;
  cells: string[];
  /** Targets of its links, from the root. */
  files: string[];
}

/** The rows of the table whose first column has that heading. */
function rowsOf(document: string, heading: string): Row[] {
  const lines = readFileSync(join(ROOT, document), 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end < 0 ? undefined : end).map((line) => ({
    ...{
      line,
      cells: line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    },
    files: [...line.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, to]) => join(dirname(document), to ?? '')),
  }));
}

const isTest = (file: string): boolean => /^test\/.*\.test\.ts$/.test(file);
const missingIn = (rows: Row[]): string[] =>
  rows.flatMap(({ files }) => files).filter((file) => !existsSync(join(ROOT, file)));

test('each row of the threat model names an attacker, an asset, a control, and tests that are there', () => {
  const rows = rowsOf('docs/threat-model.md', 'attacker');
  expect(rows.length).toBeGreaterThan(15);
  expect(rows.filter(({ cells }) => cells.length !== 4 || cells.includes(''))).toEqual([]);
  expect(rows.filter(({ files }) => !files.some(isTest)).map(({ line }) => line)).toEqual([]);
  expect(missingIn(rows)).toEqual([]);
  for (const file of rows.flatMap(({ files }) => files).filter(isTest))
    expect([file, readFileSync(join(ROOT, file), 'utf8')]).toEqual([
      file,
      expect.stringMatching(/\b(?:it|test)(?:\.each)?\b[.(]/),
    ]);
});

test('each item of the ASVS has a number, a state, and evidence that is there; what is not met says why', () => {
  const rows = rowsOf('docs/asvs.md', 'item');
  expect(rows.length).toBeGreaterThan(50);
  expect(missingIn(rows)).toEqual([]);
  for (const { line, cells, files } of rows) {
    const [item = '', , state = '', evidence = ''] = cells;
    expect([line, cells.length, /^\d+\.\d+/.test(item), ['met', 'partly', 'not met'].includes(state)]).toEqual([
      line,
      4,
      true,
      true,
    ]);
    if (state === 'met') expect([line, files.length > 0]).toEqual([line, true]);
    else expect([line, evidence.replace(/\[[^\]]*\]\([^)]*\)/g, '').trim().length > 10]).toEqual([line, true]);
  }
  const numbers = rows.flatMap(({ cells }) => (cells[0] ?? '').split(', '));
  expect(new Set(numbers).size).toBe(numbers.length);
});
