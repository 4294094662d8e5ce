import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { eventually } from '../support/eventually';
import { identityOf, sendSignal } from './process-identity';

/** A program that runs until it is stopped: the engine, the registry, Diun, diun-pilot. */
export interface LastingProcess {
  readonly pid: number;
  /** What it printed so far, both streams. */
  lines(): string[];
  running(): boolean;
  /** Resolves with the exit code (null after a signal) once it has ended. */
  readonly ended: Promise<number | null>;
  /** Sends the signal and waits for the end; after the grace period SIGKILL. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
}

export interface Launch {
  name: string;
  file: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Its output goes to this file, begun anew: not through us, so that our death does not break its pipes. */
  logFile: string;
}

/**
 * Starts a program and remembers it in the lab's folder, so that the next run can end it if this one dies first.
 * It does not share our terminal: Ctrl-C reaches us, and we end things in order.
 */
export function startLasting(dir: string, launch: Launch): LastingProcess {
  const child = spawnInto(launch);
  const { logFile } = launch;
  const ended = new Promise<number | null>((resolve) => {
    child.on('error', (error) => {
      writeFileSync(logFile, `cannot start ${launch.file}: ${error.message}\n`, { flag: 'a' });
      resolve(127);
    });
    child.on('exit', resolve);
  });
  const pid = child.pid ?? -1;
  if (pid > 0) remember(dir, pid, launch.name);
  void ended.then(() => forget(dir, pid));
  return {
    pid,
    ended,
    lines: () => readFileSync(logFile, 'utf8').split('\n').slice(0, -1),
    running: () => pid > 0 && child.exitCode === null && child.signalCode === null,
    stop: (signal, graceMs) => stop(child, ended, signal, graceMs),
  };
}

/** Ends what an earlier run of the lab left behind in this folder, and only that: by number and start time. */
export async function endStrays(dir: string): Promise<string[]> {
  const folder = join(dir, 'processes');
  if (!existsSync(folder)) return [];
  const ended: string[] = [];
  for (const file of readdirSync(folder)) {
    const [identity, name] = readFileSync(join(folder, file), 'utf8').split('\n');
    if (identityOf(Number(file)) === identity) {
      await endByPid(Number(file));
      ended.push(`${name} (${file})`);
    }
    rmSync(join(folder, file), { force: true });
  }
  return ended;
}

function spawnInto({ file, args, cwd, env, logFile }: Launch): ChildProcess {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w');
  const child = spawn(file, args, { cwd, env: env ?? process.env, stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  return child;
}

async function stop(
  child: ChildProcess,
  ended: Promise<unknown>,
  signal: NodeJS.Signals = 'SIGTERM',
  graceMs = 20_000,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill(signal);
  const impatience = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(impatience);
}

async function endByPid(pid: number): Promise<void> {
  const gone = () => identityOf(pid) === null;
  sendSignal(pid, 'SIGTERM');
  await eventually(`process ${pid} ends`, gone, { timeoutMs: 20_000 }).catch(async () => {
    sendSignal(pid, 'SIGKILL');
    await eventually(`process ${pid} ends after SIGKILL`, gone, { timeoutMs: 20_000 });
  });
}

function remember(dir: string, pid: number, name: string): void {
  mkdirSync(join(dir, 'processes'), { recursive: true });
  writeFileSync(join(dir, 'processes', String(pid)), `${identityOf(pid)}\n${name}`);
}

function forget(dir: string, pid: number): void {
  rmSync(join(dir, 'processes', String(pid)), { force: true });
}
