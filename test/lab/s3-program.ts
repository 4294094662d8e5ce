import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command';
import { labDir, type Say } from './lab';

const MODULE = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0';

/** Where the real S3 server (versitygw) is, once it was built. */
export function s3Program(): string {
  return join(labDir(), 'bin', 'versitygw');
}

/** Why the real S3 server cannot run here; null: it can. */
export function whyNoS3Server(): string | null {
  if (existsSync(s3Program()) || spawnSync('go', ['version']).status === 0) return null;
  return `the S3 server (${MODULE}) is not in ${s3Program()}, and there is no Go to build it with`;
}

/** Builds it into the lab's folder, once: before any test, since it takes two minutes and tests run side by side. */
export async function ensureS3Program(say: Say): Promise<void> {
  if (existsSync(s3Program()) || whyNoS3Server() !== null) return;
  say(`building the S3 server (${MODULE}), about two minutes …`);
  await run('go', ['install', MODULE], { env: { ...process.env, GOBIN: join(labDir(), 'bin') }, timeoutMs: 900_000 });
}
