import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { simpleParser, type ParsedMail } from 'mailparser';
import { Broken, eventually } from '../support/eventually';
import { freePort } from './free-port';
import { guests, type Lab } from './lab';
import { startLasting, type LastingProcess } from './lasting-process';

/** Nothing begins by itself while a test looks: at its start a service compares, and updates, all that it watches. */
export const NO_SCHEDULES = {
  PILOT_BACKUP_SCHEDULE: 'off',
  PILOT_RENEWAL_SCHEDULE: 'off',
  PILOT_RECONCILE_SCHEDULE: 'off',
};

export interface PilotOptions {
  /** Settings besides those that the lab needs; the schedules are `off` unless given. */
  env?: Record<string, string>;
  /** Kept from an earlier process to start again on its data; a new folder unless given. */
  dataDir?: string;
}

/** Starts the real service, `node dist/main.js serve`, and waits until it answers, well or not. */
export async function startPilot(lab: Lab, { env = {}, dataDir }: PilotOptions = {}): Promise<Pilot> {
  const port = await freePort();
  const pilot = new Pilot(lab, dataDir ?? lab.scratch('pilot-data'), port, env);
  await pilot.start();
  return pilot;
}

/** The service as a process, seen from outside: HTTP, mails, log. */
export class Pilot {
  readonly url: string;
  private process: LastingProcess | null = null;
  private readonly ended: string[] = [];

  constructor(
    private readonly lab: Lab,
    readonly dataDir: string,
    private readonly port: number,
    private readonly env: Record<string, string>,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts it, again on the same data after a `kill`, with other settings where given. */
  async start(env: Record<string, string> = {}): Promise<void> {
    Object.assign(this.env, env);
    this.launch();
    await eventually('diun-pilot answers', () => this.answers(), { timeoutMs: 300_000, everyMs: 20 });
  }

  /** Starts it without waiting for an answer: for settings that it refuses, and for crashes at its start. */
  launch(): LastingProcess {
    this.process = startLasting(guests(this.lab.dir), {
      name: 'diun-pilot',
      file: process.execPath,
      args: [join(__dirname, '../../dist/main.js'), 'serve'],
      env: this.environment(),
      logFile: join(this.lab.scratch('pilot-log'), 'output.log'),
    });
    return this.process;
  }

  /** Sends the signal (SIGKILL: a crash) and waits for its end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.process?.stop(signal);
    this.ended.push(...(this.process?.lines() ?? []));
    this.process = null;
  }

  /** A graceful stop: for the end of a test. */
  stop(): Promise<void> {
    return this.kill('SIGTERM');
  }

  async restart(signal: NodeJS.Signals = 'SIGTERM', env: Record<string, string> = {}): Promise<void> {
    await this.kill(signal);
    await this.start(env);
  }

  get running(): boolean {
    return this.process?.running() ?? false;
  }

  get webhookToken(): string {
    return first(this.env['PILOT_WEBHOOK_TOKEN'] ?? this.secret('webhook-token'));
  }

  get apiToken(): string {
    return this.env['PILOT_API_TOKEN'] ?? this.secret('api-token');
  }

  /** Everything it printed, earlier processes on this data included. */
  lines(): string[] {
    return [...this.ended, ...(this.process?.lines() ?? [])];
  }

  /** The lines of its log that are JSON. */
  log(): Record<string, unknown>[] {
    return this.lines()
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** The mails delivered so far, in the order of their files' names. */
  async mails(): Promise<ParsedMail[]> {
    const folder = join(this.dataDir, 'mail');
    if (!existsSync(folder)) return [];
    const files = readdirSync(folder).filter((file) => file.endsWith('.eml'));
    return Promise.all(files.sort().map((file) => simpleParser(readFileSync(join(folder, file)))));
  }

  /** A request with the API token; the answer is not judged. */
  request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { Authorization: `Bearer ${this.apiToken}`, 'Content-Type': 'application/json', ...init.headers };
    return fetch(`${this.url}${path}`, { ...init, headers });
  }

  /** GET of the JSON API; throws on any other status than 200. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  async get(path: string): Promise<any> {
    const response = await this.request(path);
    if (response.status !== 200)
      throw new Error(`GET ${path} was answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  /** Updates as `GET /updates` tells them, newest first; `query` such as `?status=succeeded`. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  async updates(query = ''): Promise<any[]> {
    return (await this.get(`/updates${query}`)).updates;
  }

  private async answers(): Promise<boolean> {
    if (!this.running) throw new Broken(`diun-pilot ended: ${this.lines().slice(-15).join('\n')}`);
    return (await fetch(`${this.url}/health`)).status > 0;
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      DOCKER_HOST: this.lab.viewHost,
      PILOT_HOST: '127.0.0.1',
      PILOT_PORT: String(this.port),
      PILOT_PUBLIC_URL: this.url,
      PILOT_DATA_DIR: this.dataDir,
      ...NO_SCHEDULES,
      ...this.env,
    };
  }

  private secret(name: string): string {
    return readFileSync(join(this.dataDir, 'secrets', name), 'utf8').trim();
  }
}

function first(tokens: string): string {
  return tokens.split(',')[0] ?? tokens;
}
