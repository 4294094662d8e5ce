import { join } from 'node:path';
import { attempt, type Outcome } from '../lab/command';
import type { Lab } from '../lab/lab';

/** Runs one command of diun-pilot, the real program, on a data directory to its end. */
export function runPilot(
  lab: Lab,
  dataDir: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Outcome> {
  return attempt(process.execPath, [join(__dirname, '../../dist/main.js'), ...args], {
    env: { PATH: process.env['PATH'], DOCKER_HOST: lab.docker.host, PILOT_DATA_DIR: dataDir, ...env },
    timeoutMs: 90_000,
  });
}
