import { join } from 'node:path';
import { attempt, type Outcome } from '../lab/command';
import { guests, type Lab } from '../lab/lab';
import { startLasting, type LastingProcess } from '../lab/lasting-process';

const PROGRAM = join(__dirname, '../../dist/main.js');

/** Starts one command of diun-pilot, which may be killed in its middle. */
export function startPilotCommand(lab: Lab, dataDir: string, args: string[], dockerHost: string): LastingProcess {
  return startLasting(guests(lab.dir), {
    name: `diun-pilot ${args[0]}`,
    file: process.execPath,
    args: [PROGRAM, ...args],
    env: { PATH: process.env['PATH'], DOCKER_HOST: dockerHost, PILOT_DATA_DIR: dataDir },
    logFile: join(lab.scratch('command-log'), 'output.log'),
  });
}

/** Runs one command of diun-pilot, the real program, on a data directory to its end. */
export function runPilot(
  lab: Lab,
  dataDir: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Outcome> {
  return attempt(process.execPath, [PROGRAM, ...args], {
    env: { PATH: process.env['PATH'], DOCKER_HOST: lab.viewHost, PILOT_DATA_DIR: dataDir, ...env },
    timeoutMs: 300_000,
  });
}
