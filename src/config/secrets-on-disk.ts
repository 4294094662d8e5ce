import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import path from 'node:path';

export type SecretName = 'webhook-token' | 'api-token' | 'approval-secret';

/**
 * The secret of that name under `DATA_DIR/secrets/`, as it stands in its file: without one it is made there, for the owner
 * alone (0600, in a folder of 0700). Two processes that start together agree on one. With `generate` false nothing is
 * written, and a secret that is not there yet is made for this process only. Throws the errors of `node:fs`.
 */
export function secretOnDisk(dataDir: string, name: SecretName, generate: boolean): string {
  const file = path.join(dataDir, 'secrets', name);
  const existing = readIfThere(file);
  if (existing !== null) return existing;
  const fresh = randomBytes(32).toString('base64url');
  if (!generate) return fresh;
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeOnce(file, fresh);
  return readFileSync(file, 'utf8').trim();
}

/** The whole file appears under its name at once, or another process's is left there: a link never replaces a file. */
function writeOnce(file: string, content: string): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, `${content}\n`);
    fsyncSync(descriptor);
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(descriptor);
    unlinkSync(draft);
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
