import { execFile } from 'node:child_process';
import { BOUNDS } from '../../domain/bounds';
import { PilotError } from '../../domain/errors';

/**
 * Runs the plugin directly, without a shell and with an empty environment: settings of diun-pilot must not get into another project.
 * Resolves with standard output. Neither output nor the files' text is ever part of an error.
 */
export function runCompose(plugin: string, args: string[], timeoutMs: number): Promise<string> {
  const options = {
    ...{ timeout: timeoutMs, killSignal: 'SIGKILL' as const, maxBuffer: BOUNDS.composeOutput.bytes, cwd: '/' },
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
  };
  return new Promise((resolve, reject) => {
    execFile(plugin, args, options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else
        reject(
          new PilotError('compose_failed', `Docker Compose did not read the files of the project (${whyOf(error)}).`),
        );
    });
  });
}

function whyOf({ killed, code, signal }: { killed?: boolean; code?: unknown; signal?: unknown }): string {
  if (killed) return 'it did not answer in time';
  if (typeof code === 'number') return `exit code ${code}: docker compose config --quiet shows why`;
  return typeof code === 'string' ? code : `it was ended by ${String(signal)}`;
}
