import type { Logger } from '../../src/lib/logger';

export interface LogLine extends Record<string, unknown> {
  level: string;
  message: string;
}

/** Keeps every line, with the fields of its children. */
export function recordingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  return { logger: loggerInto(lines, {}), lines };
}

function loggerInto(lines: LogLine[], common: Record<string, unknown>): Logger {
  const write =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      lines.push({ level, message, ...common, ...fields });
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => loggerInto(lines, { ...common, ...fields }),
  };
}
