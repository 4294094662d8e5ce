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
  if (iso === null) return '–';
  const options = { timeZone, dateStyle: 'short', timeStyle: 'short' } as const;
  return new Intl.DateTimeFormat('sv-SE', options).format(new Date(iso));
}

/** `12 min`, `9 h`, `4 days`. */
export function ageInWords(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

export function inBytes(bytes: number | null): string {
  if (bytes === null) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const number = bytes / 1024 ** power;
  return `${power === 0 ? number : number.toFixed(1)} ${units[power]}`;
}

/** `sha256:` and twelve digits: enough for a person to compare. */
export function shortDigest(digest: string | null): string {
  return digest === null ? 'unknown digest' : digest.slice(0, 'sha256:'.length + 12);
}
