import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '..', '..');

interface Report {
  summary: {
    totalCruised: number;
    violations: { from: string; to: string; rule: { name: string } }[];
  };
}

/** Rejects of dependency-cruiser are findings: it ends with their number. */
async function cruise(folder: string): Promise<Report> {
  const args = ['depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'json', folder];
  const { stdout } = await promisify(execFile)(join(ROOT, 'node_modules', '.bin', args[0] ?? ''), args.slice(1), {
    cwd: ROOT,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: { stdout: string }) => error);
  return JSON.parse(stdout) as Report;
}

test('who may import whom is as docs/design.md says, without a cycle', async () => {
  const { summary } = await cruise('src');
  expect(summary.totalCruised).toBeGreaterThan(100);
  expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
}, 600_000);
