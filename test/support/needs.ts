import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `describe` for tests that need what not every machine has; `missing` says what this one lacks, null: nothing. They are
 * then skipped aloud, and fail in CI, where nothing is skipped.
 */
export function describeIf(missing: string | null, name: string, tests: () => void): void {
  if (missing === null) return describe(name, tests);
  if (process.env['CI'] === 'true') {
    it(`${name}: nothing is skipped in CI`, () => {
      throw new Error(missing);
    });
    return;
  }
  process.stderr.write(`\n!!! SKIPPED: ${name}: ${missing}\n`);
  describe.skip(name, tests);
}

/** The same for what is another's, such as a second make of engine: also in CI, tests are skipped aloud where it cannot be had. */
export function describeWhereThere(missing: string | null, name: string, tests: () => void): void {
  if (missing === null) return describe(name, tests);
  process.stderr.write(`\n!!! SKIPPED, also in CI: ${name}: ${missing}\n`);
  describe.skip(name, tests);
}

/** Why no small file system can be mounted here; null: it can. */
export function whyNoMount(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'can-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { encoding: 'utf8' });
  if (mounted.status === 0) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  return mounted.status === 0 ? null : `a tmpfs cannot be mounted here: ${mounted.error?.message ?? mounted.stderr}`;
}
