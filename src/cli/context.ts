import type { DockerSocket } from '../config/docker-socket';
import type { Settings } from '../config/schema';
import type { Logger } from '../lib/logger';
import type { App } from '../app';

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
