import { formatBytes, formatMinute } from '../domain/format';
import { printableJson, printableLine } from '../lib/printable';

/** Words of others (labels, registries, engines) as one line for a terminal. */
export const oneLine = printableLine;

/** A document for programs; on a terminal its strings must not deceive either. */
export function asJson(value: unknown, indent = 2): string {
  return `${printableJson(JSON.stringify(value, null, indent))}\n`;
}

export function table(header: string[], rows: string[][]): string {
  return inColumns([header, ...rows]);
}

/** Columns as wide as their widest cell, two blanks between them. */
export function inColumns(rows: string[][]): string {
  const lines = rows.map((cells) => cells.map(oneLine));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)));
  return lines
    .map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `2026-01-05 04:00` in the operator's time zone. */
export function atTime(iso: string | null, timeZone: string): string {
  return iso === null ? '–' : formatMinute(iso, timeZone);
}

export function inBytes(bytes: number | null): string {
  return bytes === null ? '–' : formatBytes(bytes);
}
