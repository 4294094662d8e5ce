import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { createFileTransport } from '../../src/adapters/mail-file/file-transport';
import { type App, requestsOf } from '../../src/app';
import type { CliContext } from '../../src/cli/with-app';
import { runCli } from '../../src/cli/program';
import type { DockerSocket } from '../../src/config/urls';
import { loadSettings } from '../../src/config/load';
import { timerPlans, viewTimers } from '../../src/schedule/timers';
import { startWorker, type Worker } from '../../src/queue/worker';
import { recordingLogger, type LogLine } from './recording-logger';
import type { Scene } from './scene';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
  /** What `serve` logged. */
  lines: LogLine[];
}

export interface Terminal {
  env?: Record<string, string>;
  isTTY?: boolean;
  /** What differs from the app on the scene. */
  app?: Partial<App>;
  signals?: FakeSignals;
  dockerSocket?: DockerSocket;
  ask?: (question: string) => Promise<string>;
}

/** Signals that a test sends, and the exits that they led to. */
export class FakeSignals extends EventEmitter {
  exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

/** Runs a command line on a scene: the real commands, use cases and store on the fake engine. */
export async function runOn(scene: Scene, args: string[], terminal: Terminal = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const { logger, lines } = recordingLogger();
  const env = { PILOT_DATA_DIR: scene.folder, TZ: 'UTC', ...terminal.env };
  const context: CliContext = {
    version: '1.2.3',
    loadSettings: (options) => loadSettings(env, options),
    dockerSocket: () => terminal.dockerSocket ?? { path: '/var/run/docker.sock', group: 998 },
    createLogger: () => logger,
    openApp: (settings) => ({ ...appOn(scene), settings, ...terminal.app }),
    stdout: { write: (text) => out.push(text), isTTY: terminal.isTTY ?? false, columns: 60 },
    stderr: { write: (text) => err.push(text) },
    signals: terminal.signals ?? new FakeSignals(),
    ask: terminal.ask ?? null,
  };
  const code = await runCli(args, context);
  return { lines, code, stdout: out.join(''), stderr: err.join('') };
}

const SCHEDULED = {
  schedules: { backup: '0 2 * * *', renewal: '30 3 * * 0', reconcile: null },
  mailDigest: null,
  timeZone: 'UTC',
};

function appOn({ deps, store, engine, clock, folder }: Scene): Omit<App, 'settings'> {
  let worker: Worker | null = null;
  return {
    store,
    engine,
    clock,
    storage: deps.storage,
    logger: deps.logger,
    channels: [],
    transport: createFileTransport({ folder: join(folder, 'mail') }),
    ...requestsOf(deps, () => undefined),
    timers: () => viewTimers(timerPlans(SCHEDULED), store.timers, clock.now()),
    startWorker: () => {
      worker = startWorker(deps);
      return Promise.resolve(true);
    },
    startServing: () => Promise.resolve({ port: 1 }),
    mustEnd: new Promise(() => undefined),
    close: async () => {
      await worker?.stop();
    },
  };
}
