/** When updates may start, by the clock on the wall of one time zone. */
export interface UpdateWindow {
  /** As the operator wrote it. */
  text: string;
  ranges: WindowRange[];
}

/** On each of these days (0 is Sunday), from one minute of the day to another; an end before its begin is on the next day. */
export interface WindowRange {
  days: number[];
  from: number;
  to: number;
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];
const DAY_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;
const DAY_MS = DAY_MINUTES * MINUTE_MS;
const FORM = 'must look like Sat,Sun 02:00-05:00, several separated by ;';

/** Reads `Sat,Sun 02:00-05:00; Mon-Fri 03:00-04:00`; without days it is every day. A problem as text for anything else. */
export function readWindow(text: string): UpdateWindow | { problem: string } {
  const ranges: WindowRange[] = [];
  for (const part of text.split(';')) {
    const [, days = '', hours = ''] = /^(\D*)(.*)$/s.exec(part) ?? [];
    const [, fromHour, fromMinute, toHour, toMinute] =
      /^(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*$/.exec(hours) ?? [];
    const from = minuteOf(fromHour, fromMinute);
    const to = minuteOf(toHour, toMinute);
    const on = readDays(days);
    if (on === null || from === null || to === null || from === DAY_MINUTES) return { problem: FORM };
    if (from === to) return { problem: `${part.trim()} never opens: it ends when it begins. It ${FORM}` };
    ranges.push({ days: on, from, to });
  }
  return { text: text.trim(), ranges };
}

/** `days` as written before the hours, with the blank between the two. */
function readDays(days: string): ReturnType<typeof daysOf> {
  if (days.trim() === '') return EVERY_DAY;
  return /^\s*[A-Za-z][A-Za-z,\s-]*$/.test(days) && /\s$/.test(days) ? daysOf(days.trim()) : null;
}

function minuteOf(hour: string | undefined, minute: string | undefined): number | null {
  if (hour === undefined || minute === undefined || Number(minute) > 59) return null;
  const total = Number(hour) * 60 + Number(minute);
  return total <= DAY_MINUTES ? total : null;
}

/** `Sat,Sun`, `Mon-Fri`, `Fri-Mon`. */
function daysOf(text: string): number[] | null {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first, last = first, more] = part
      .split('-')
      .map((day) => DAYS.indexOf(day.trim().toLowerCase().slice(0, 3)));
    if (first === undefined || last === undefined || more !== undefined || first < 0 || last < 0) return null;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return [...days].sort((a, b) => a - b);
}

/**
 * The next moment at which the window is open: `at` itself when it is open then. On the night when clocks go forward, a
 * window inside the hour that does not exist opens after it, for as long as it is long; on the night when they go back, it
 * is open both times.
 */
export function nextOpening({ ranges }: Pick<UpdateWindow, 'ranges'>, at: Date, timeZone: string): Date {
  const today = localParts(at, timeZone);
  const openings = ranges.flatMap((range) =>
    // From yesterday, whose window may still be open, to the same day of the next week.
    Array.from({ length: 10 }, (_, index) => openingOn(range, today, index - 1, timeZone)),
  );
  const times = openings
    .filter((opening) => opening !== null && opening.end > at.getTime())
    .map((opening) => Math.max(opening?.begin ?? 0, at.getTime()));
  return new Date(Math.min(...times));
}

export function isInWindow(window: Pick<UpdateWindow, 'ranges'>, at: Date, timeZone: string): boolean {
  return nextOpening(window, at, timeZone).getTime() === at.getTime();
}

interface LocalDay {
  year: number;
  month: number;
  day: number;
}

/** Milliseconds since 1970; null: the range is not on that day. */
function openingOn(
  { days, from, to }: WindowRange,
  today: LocalDay,
  offset: number,
  timeZone: string,
): { begin: number; end: number } | null {
  const midnight = Date.UTC(today.year, today.month - 1, today.day) + offset * DAY_MS;
  if (!days.includes(new Date(midnight).getUTCDay())) return null;
  const length = to > from ? to - from : to + DAY_MINUTES - from;
  const begin = instantOf(midnight + from * MINUTE_MS, timeZone, 'first');
  const end = instantOf(midnight + (from + length) * MINUTE_MS, timeZone, 'last');
  return { begin, end: end > begin ? end : begin + length * MINUTE_MS };
}

/** The moment at which the clock on the wall shows `wall`, written as if it were UTC. A time that is skipped is the one after. */
function instantOf(wall: number, timeZone: string, which: 'first' | 'last'): number {
  const before = offsetAt(wall - DAY_MS, timeZone);
  const after = offsetAt(wall + DAY_MS, timeZone);
  const real = [wall - before, wall - after].filter((instant) => instant + offsetAt(instant, timeZone) === wall);
  if (real.length === 0) return wall - before;
  return which === 'first' ? Math.min(...real) : Math.max(...real);
}

/** Milliseconds that the clock on the wall is ahead of UTC. */
function offsetAt(instant: number, timeZone: string): number {
  const { year, month, day, hour, minute, second } = localParts(new Date(instant), timeZone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
}

function localParts(at: Date, timeZone: string): LocalDay & { hour: number; minute: number; second: number } {
  const parts = new Map(
    formatterOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  return {
    ...{ year: part('year'), month: part('month'), day: part('day') },
    ...{ hour: part('hour'), minute: part('minute'), second: part('second') },
  };
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known !== undefined) return known;
  const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
  const formatter = new Intl.DateTimeFormat('en', { ...numeric, second: 'numeric', hourCycle: 'h23', timeZone });
  formatters.set(timeZone, formatter);
  return formatter;
}
