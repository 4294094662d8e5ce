import { execFile } from 'node:child_process';
import { z } from 'zod';
import { BOUNDS } from '../../../domain/bounds';
import { EngineError } from '../../../domain/errors';

export type Credentials = { username: string; password: string } | { identitytoken: string };

/** Part of a program's name, never a path. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** A helper's own words for "none" (docker-credential-helpers, credentials/error.go). */
const NONE = /credentials not found in native keychain/i;
/** A helper's user name for an identity token. */
const TOKEN_USER = '<token>';

const answer = z.object({ Username: z.string(), Secret: z.string() });

/**
 * Asks `docker-credential-NAME get` on the PATH. Null: it has none, or there is no such program and it is not `required`. Rejects with
 * `registry_refused`; no word of its output is in the message, which could be a secret.
 */
export async function askHelper(
  name: string,
  server: string,
  { required, env }: { required: boolean; env?: NodeJS.ProcessEnv | undefined },
): Promise<Credentials | null> {
  const program = `docker-credential-${name}`;
  if (!NAME.test(name)) throw unusable('The name of a credential helper', 'is not the name of a program');
  const { stdout, failure } = await run(program, server, env);
  if (failure?.code === 'ENOENT') {
    if (required) throw unusable(program, 'is not on the PATH of diun-pilot: install it there, or use `docker login`');
    return null;
  }
  if (failure !== null) {
    if (NONE.test(stdout)) return null;
    throw unusable(
      program,
      `fails for ${server} (${failure.killed ? 'no answer in time' : `exit code ${failure.code}`})`,
    );
  }
  const parsed = answer.safeParse(parse(stdout));
  if (!parsed.success) throw unusable(program, `gives no credentials for ${server}`);
  const { Username: username, Secret: password } = parsed.data;
  if (username === TOKEN_USER) return { identitytoken: password };
  return username === '' ? null : { username, password };
}

interface Failed {
  code?: number | string | null;
  killed?: boolean;
}

function run(
  program: string,
  server: string,
  env: NodeJS.ProcessEnv | undefined,
): Promise<{ stdout: string; failure: Failed | null }> {
  const { bytes, ms } = BOUNDS.credentialHelper;
  return new Promise((resolve) => {
    const options = { timeout: ms, maxBuffer: bytes, killSignal: 'SIGKILL' as const, ...(env && { env }) };
    const child = execFile(program, ['get'], options, (failure, stdout) => resolve({ stdout, failure }));
    // A helper that does not read its input, or is missing, breaks the pipe: its exit reports why.
    child.stdin?.on('error', () => undefined).end(server);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function unusable(what: string, why: string): EngineError {
  return new EngineError('registry_refused', `${what}, which Docker's config.json names, ${why}.`);
}
