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

/** JSON lines on standard output, each with `service: diun-pilot`. */
export function createLogger(level: string): Logger {
  return winston.createLogger({
    level,
    defaultMeta: { service: 'diun-pilot' },
    format: winston.format.combine(winston.format.timestamp(), winston.format.json(), printable()),
    transports: [new winston.transports.Console({ stderrLevels: [] })],
  });
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
