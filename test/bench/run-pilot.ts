import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageEnvironment } from './image-environment';

export const WEBHOOK_TOKEN = 'bench-webhook-token';
export const API_TOKEN = 'bench-api-token';

export interface Service {
  url: string;
  process: ChildProcess;
  /** Milliseconds from the start of the process to its first answer. */
  readyAfterMs: number;
  /** Resident memory now, in MiB. */
  residentMiB(): number;
  stop(): Promise<void>;
}

/** The real service, `node dist/main.js serve`, on a data directory of its own. */
export async function startService(port: number, env: Record<string, string> = {}): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const begin = performance.now();
  const child = spawn(process.execPath, [join(__dirname, '../../dist/main.js'), 'serve'], {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      ...imageEnvironment(),
      PILOT_HOST: '127.0.0.1',
      PILOT_PORT: String(port),
      PILOT_DATA_DIR: folder,
      PILOT_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
      PILOT_API_TOKEN: API_TOKEN,
      PILOT_LOG_LEVEL: 'warn',
      DOCKER_HOST: 'unix:///nonexistent/docker.sock',
      ...env,
    },
  });
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url))) await new Promise((resolve) => setTimeout(resolve, 10));
  return {
    url,
    process: child,
    readyAfterMs: performance.now() - begin,
    residentMiB: () => resident(child.pid ?? 0),
    stop: async () => {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function resident(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) / 1024;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).status > 0;
  } catch {
    return false;
  }
}
