import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** Numbers of tests. A file that could not even be loaded counts as one failed test. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

interface JestReport {
  success: boolean;
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
  /** Times in milliseconds. */
  testResults: { name: string; startTime: number; endTime: number }[];
}

const TESTS = join(__dirname, '..');
const SLOWEST = 40;
const JEST = join(__dirname, '../../node_modules/jest/bin/jest.js');

/** Runs Jest with these arguments, its words on our terminal, and counts what came of it. */
export async function runJest(args: string[], env: NodeJS.ProcessEnv = process.env): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'jest-report-'));
  const report = join(folder, 'report.json');
  try {
    const code = await ended([JEST, '--json', `--outputFile=${report}`, ...args], env);
    if (!existsSync(report)) return broken();
    const read = JSON.parse(readFileSync(report, 'utf8')) as JestReport;
    console.error(slowest(read));
    return tally(read, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function sum(tallies: Tally[]): Tally {
  const add = (a: Tally, b: Tally) => ({
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  });
  return tallies.reduce(add, { passed: 0, failed: 0, skipped: 0 });
}

/** `12 passed, 0 failed`, and the skipped ones if there are any. */
export function inWords({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function ended(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const jest = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    // Whatever ends this process ends its tests, too.
    const end = (): void => void jest.kill();
    process.once('exit', end);
    jest.on('error', reject);
    jest.on('exit', (code) => {
      process.off('exit', end);
      resolve(code ?? 1);
    });
  });
}

function tally(report: JestReport, code: number): Tally {
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  // Jest may call a run failed that has no failed test, as when an `afterAll` throws.
  const unexplained = failed === 0 && (code !== 0 || !report.success) ? 1 : 0;
  return {
    passed: report.numPassedTests,
    failed: failed + unexplained,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Where the time of a run has gone. */
function slowest({ testResults }: JestReport): string {
  const seconds = (file: JestReport['testResults'][number]): number => (file.endTime - file.startTime) / 1000;
  const files = testResults.toSorted((a, b) => seconds(b) - seconds(a)).slice(0, SLOWEST);
  return `slowest files: ${files.map((file) => `${relative(TESTS, file.name)} ${seconds(file).toFixed(0)} s`).join(', ')}`;
}

/** Jest died without a word on its tests. */
function broken(): Tally {
  return { passed: 0, failed: 1, skipped: 0 };
}
