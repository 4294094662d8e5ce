import { isNativeError } from 'node:util/types';
import winston from 'winston';
import { printableJson } from './printable';

/** Structured log lines; `child` adds fields such as the update's id to every line. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  child(fields: Record<string, unknown>): Logger;
}

/** JSON lines on standard output, each with `service: diun-pilot`. An error is written as its stack, with its causes. */
export function createLogger(level: string): Logger {
  return winston.createLogger({
    level,
    defaultMeta: { service: 'diun-pilot' },
    format: winston.format.combine(winston.format.timestamp(), winston.format.json({ replacer: inJson }), printable()),
    transports: [new winston.transports.Console({ stderrLevels: [] })],
  });
}

/** What JSON has no words for. Of an error the stack only: its other properties may hold an address with a token. */
function inJson(_name: string, value: unknown): unknown {
  if (isNativeError(value)) return stackOf(value);
  return typeof value === 'bigint' ? String(value) : value;
}

function stackOf(error: Error): string {
  const chain = new Set<Error>();
  for (let at: unknown = error; isNativeError(at) && !chain.has(at); at = at.cause) chain.add(at);
  return [...chain].map((each) => each.stack ?? String(each)).join('\nCaused by: ');
}

/** Set by the format before: the line that is written. */
const LINE = Symbol.for('message');

/** A log is read on a terminal, too. */
const printable = winston.format((info) => {
  info[LINE] = printableJson(String(info[LINE]));
  return info;
});

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

/** Reports the current state of long work as text. May be called often. */
export type Progress = (detail: string) => void;
