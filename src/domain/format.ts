// Bytes, durations, times, digests, codes and plurals as text: one formatter each for mails, pages, terminal, log and journal.

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `812 B`, `12.4 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 and more would be rounded to `1024.0` of the smaller unit.
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** A measured time: `850 ms`, `12 s`, `3 min 5 s`, `1 h 2 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.max(0, Math.round(milliseconds))} ms`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** The time between two ISO 8601 times; null while either is unknown. */
export function formatBetween(from: string | null | undefined, to: string | null | undefined): string | null {
  return from && to ? formatDuration(Date.parse(to) - Date.parse(from)) : null;
}

const SETTING_UNITS = [
  [DAY_MS, 'day'],
  [HOUR_MS, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
] as const;

/** A setting, exactly: `2 minutes`, `90 seconds`. */
export function formatTimeout(milliseconds: number): string {
  for (const [size, unit] of SETTING_UNITS) {
    if (milliseconds >= size && milliseconds % size === 0) return plural(milliseconds / size, unit);
  }
  return plural(milliseconds, 'millisecond');
}

/** How long ago something was, roughly: `12 s`, `5 min`, `9 h`, `4 days`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  return hours < 48 ? `${hours} h` : plural(Math.floor(hours / 24), 'day');
}

/** With a period at its end, where a machine wrote none. */
export function asSentence(text: string): string {
  return /[.!?:]$/.test(text) ? text : `${text}.`;
}

/** `1 day`, `2 days`, `0 entries`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The time zone of this process: `TZ`, else that of the machine. An empty `TZ` is UTC to the C library. */
export function localTimeZone(): string {
  // eslint-disable-next-line no-restricted-properties -- not read as a setting: only to notice that it is another by now
  const { TZ } = process.env;
  if (local === null || local.TZ !== TZ) {
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    local = { TZ, timeZone: timeZone === 'Etc/Unknown' ? 'UTC' : timeZone };
  }
  return local.timeZone;
}

/** An ISO 8601 time for a sentence: `2026-11-23 04:00:10 CET`. */
export function formatTime(iso: string, timeZone = localTimeZone()): string {
  const at = new Date(iso);
  const { second, zone } = formattersOf(timeZone);
  const name = zone.formatToParts(at).find(({ type }) => type === 'timeZoneName');
  return `${second.format(at)} ${name?.value ?? timeZone}`;
}

/** To the minute and without its zone, for a table: `2026-11-23 04:00`. */
export function formatMinute(iso: string, timeZone = localTimeZone()): string {
  return formattersOf(timeZone).minute.format(new Date(iso));
}

let local: { TZ: string | undefined; timeZone: string } | null = null;

type Formatters = Record<'second' | 'minute' | 'zone', Intl.DateTimeFormat>;

/** To make one takes a hundred times as long as to use it, and a page has hundreds of times. */
const formatters = new Map<string, Formatters>();

function formattersOf(timeZone: string): Formatters {
  const known = formatters.get(timeZone);
  if (known !== undefined) return known;
  const made = {
    second: new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }),
    minute: new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }),
    zone: new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'short' }),
  };
  formatters.set(timeZone, made);
  return made;
}

/** `2026-11-23`. */
export function formatDay(iso: string, timeZone = localTimeZone()): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(new Date(iso));
}

/** `sha256:` and twelve digits: enough for a person to compare. */
export function shortDigest(digest: string | null): string {
  return digest === null ? 'unknown digest' : digest.slice(0, 'sha256:'.length + 12);
}

/** The part of a container's ID that Docker shows. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

/** `rolled_back` → `Rolled back`; the live script does the same. */
export function codeAsText(code: string): string {
  return capitalised(code.replaceAll('_', ' '));
}

export function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: HOUR_MS,
  d: DAY_MS,
};
const DURATION = /^(?:\d+(?:ms|s|m|h|d))+$/;

/** Reads `500ms`, `90s`, `10m`, `72h`, `7d`, `1h30m` as milliseconds; null for anything else, and for nothing at all (`0s`). */
export function parseDuration(text: string): number | null {
  if (!DURATION.test(text) || text.length > 20) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(?<!\d)(\d+)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNITS[unit ?? ''] ?? NaN);
  }
  return Number.isSafeInteger(total) && total > 0 ? total : null;
}
