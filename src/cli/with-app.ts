import type { App } from '../app';
import type { DockerSocket } from '../config/urls';
import type { Settings } from '../config/schema';
import { messageOf, PilotError } from '../domain/errors';
import type { DecidedBy } from '../domain/update';
import type { Logger } from '../lib/logger';
import { asJson, oneLine } from './text';

export const INTERRUPTED = 130;

class Interrupted extends Error {}

/**
 * Opens the app for one command, and closes it whatever happens. A signal aborts the command, a second one ends the
 * process at once. Resolves with the exit code; an error is printed, never thrown.
 */
export async function withApp(
  context: CliContext,
  options: { json: boolean; generateSecrets?: boolean },
  work: (app: App, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const { signal, release } = abortOnSignal(context);
  try {
    const settings = context.loadSettings({ generateSecrets: options.generateSecrets ?? true });
    const app = context.openApp(settings, { logger: troublesTo(context.stderr) });
    try {
      return await work(app, signal);
    } finally {
      await app.close();
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) return printError(context, error, options.json);
    context.stderr.write('\nInterrupted. Work in progress is finished or undone at the next start.\n');
    return INTERRUPTED;
  } finally {
    release();
  }
}

/** Prints what went wrong as `error:` for people, as the API's error for machines, and answers the exit code. */
export function printError(
  { stdout, stderr }: Pick<CliContext, 'stdout' | 'stderr'>,
  error: unknown,
  json: boolean,
): 1 {
  const code = error instanceof PilotError ? error.code : 'internal_error';
  if (json) {
    stdout.write(asJson({ error: { code, message: messageOf(error) } }, 0));
  } else if (code === 'invalid_settings') {
    const problems = messageOf(error).split('\n');
    stderr.write(
      `diun-pilot cannot start, because its settings are wrong:\n${problems.map((line) => `  ${line}\n`).join('')}`,
    );
  } else if (isOfTheSystem(error)) {
    stderr.write(`error: ${error.message}. Check that this user can write to PILOT_DATA_DIR and that it has space.\n`);
  } else if (code === 'internal_error') {
    stderr.write(`error: a defect, please report it: ${(error instanceof Error && error.stack) || messageOf(error)}\n`);
  } else {
    stderr.write(`error: ${messageOf(error)}\n`);
  }
  return 1;
}

/** The file system or the database refused: no defect, and no stack helps. */
function isOfTheSystem(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^(E[A-Z]+|SQLITE_[A-Z_]+)$/.test(String(error.code));
}

function abortOnSignal({ signals }: CliContext): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) signals.exit(INTERRUPTED);
    controller.abort(new Interrupted());
  };
  signals.on('SIGINT', onSignal);
  signals.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release: () => {
      signals.off('SIGINT', onSignal);
      signals.off('SIGTERM', onSignal);
    },
  };
}

/** A command shows only the warnings and errors of the log, next to its output. */
function troublesTo(stderr: Output): Logger {
  const write = (message: string, fields: Record<string, unknown> = {}): void => {
    const reason = fields.reason ?? fields.error;
    const isText = typeof reason === 'string' || reason instanceof Error;
    stderr.write(`${oneLine(isText ? `${message}: ${messageOf(reason)}` : message)}\n`);
  };
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: write,
    error: write,
    child: () => logger,
  };
  return logger;
}

/** What a command gets of the process it runs in, so that a test can be that process. */
export interface CliContext {
  version: string;
  loadSettings(options: { generateSecrets: boolean }): Settings;
  /** As this process sees it; for `init`, which reads no settings. */
  dockerSocket(): DockerSocket;
  /** Of the service: JSON lines on standard output. */
  createLogger(level: string): Logger;
  openApp(settings: Settings, options: { logger: Logger }): App;
  stdout: Output;
  stderr: Output;
  signals: Signals;
  /** Asks a person at the terminal; null where none sits there. */
  ask: ((question: string) => Promise<string>) | null;
}

export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  /** Of a terminal: back to the start of its line, which is cleared. */
  rewriteLine?(): unknown;
}

/** The part of `process` that reports its end. */
export interface Signals {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  exit(code: number): void;
}

/** Who decides on the command line: the user of this process, by its ID. */
export function cliUser(): DecidedBy {
  return `cli:${process.getuid?.() ?? 0}`;
}
