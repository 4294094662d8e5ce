import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diunRequest } from '../support/diun-requests';
import { eventually } from '../support/eventually';
import { send } from '../support/send';

const ROOT = join(__dirname, '..', '..');
const LONG = { timeoutMs: 60_000 };
let folder: string;
const started: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pilot-serve-'));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Served {
  child: ChildProcess;
  stdout(): string;
  stderr(): string;
  ended: Promise<{ code: number | null; signal: string | null }>;
}

/** The real program from its sources, with no engine in reach. */
function start(args: string[], env: Record<string, string> = {}): Served {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      PILOT_DATA_DIR: join(folder, 'data'),
      PILOT_HOST: '127.0.0.1',
      DOCKER_HOST: `unix://${folder}/no-engine.sock`,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, stdout: () => text.stdout, stderr: () => text.stderr, ended };
}

function linesOf(served: Served): Record<string, unknown>[] {
  return served
    .stdout()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const freePort = (): string => String(20_000 + (process.pid % 10_000) + started.length);

test('without Docker it starts, accepts webhooks and keeps them; SIGTERM ends it with 0; the next start still has them', async () => {
  const port = freePort();
  const first = start([], { PILOT_PORT: port });
  await eventually('it listens', () => linesOf(first).some((line) => line.message === 'listening'), LONG);

  const health = await send(Number(port), { method: 'GET', url: '/health' });
  expect(health.status).toBe(503);
  const tokenFile = join(folder, 'data', 'secrets', 'webhook-token');
  expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
  const token = readFileSync(tokenFile, 'utf8').trim();
  const headers: [string, string][] = [['Authorization', `Bearer ${token}`]];
  const recorded = { ...diunRequest('update-index'), headers };
  expect((await send(Number(port), recorded)).json().duplicate).toBe(false);

  first.child.kill('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, signal: null });
  expect(linesOf(first).at(-1)).toMatchObject({ message: 'stopped', service: 'diun-pilot' });
  expect(first.stdout()).not.toContain(token);

  const second = start(['serve'], { PILOT_PORT: port });
  await eventually('it listens again', () => linesOf(second).some((line) => line.message === 'listening'), LONG);
  expect((await send(Number(port), recorded)).json().duplicate).toBe(true);
  second.child.kill('SIGINT');
  expect((await second.ended).code).toBe(0);
});

test('wrong settings: all problems at once in plain words on standard error, and 1', async () => {
  const served = start(['serve'], {
    PILOT_PORT: '99999',
    PILOT_MAIL_URL: 'pigeon:',
    PILOT_BACKUP_SCHEDULE: 'daily-ish',
  });
  expect((await served.ended).code).toBe(1);
  for (const name of ['PILOT_PORT', 'PILOT_MAIL_URL', 'PILOT_BACKUP_SCHEDULE'])
    expect(served.stderr()).toContain(`${name}: `);
  expect(served.stderr()).not.toMatch(/\n\s+at /);
  expect(served.stdout()).toBe('');
});

test('an empty TZ, of which Node tells a zone that there is not, is UTC, as everywhere', async () => {
  const check = start(['check', '--json'], { TZ: '' });
  await check.ended;
  expect(check.stdout()).toContain('time zone UTC');
});

test('a port in use: which, and what to set, and 1', async () => {
  const port = freePort();
  const first = start([], { PILOT_PORT: port });
  await eventually('it listens', () => linesOf(first).some((line) => line.message === 'listening'), LONG);
  const second = start([], { PILOT_PORT: port, PILOT_DATA_DIR: join(folder, 'other') });
  expect((await second.ended).code).toBe(1);
  expect(second.stderr()).toMatch(new RegExp(`port ${port} is in use.*PILOT_PORT`));
});
