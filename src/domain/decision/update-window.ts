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

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];
const DAY_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;
const DAY_MS = DAY_MINUTES * MINUTE_MS;
const FORM = 'must look like Sat,Sun 02:00-05:00, several separated by semicolons';

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

/** The name, or its first letters, three at least; -1: neither. */
function dayOf(text: string): number {
  return text.length < 3 ? -1 : DAYS.findIndex((day) => day.startsWith(text));
}

/** `Sat,Sun`, `Mon-Fri`, `Fri-Mon`. */
function daysOf(text: string): number[] | null {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first, last = first, more] = part.split('-').map((day) => dayOf(day.trim().toLowerCase()));
    if (first === undefined || last === undefined || more !== undefined || first < 0 || last < 0) return null;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return [...days].sort((a, b) => a - b);
}

/**
 * The next moment at which the window is open: `at` itself when it is open then. The clock on the wall decides: on the night
 * when clocks go back, an hour that comes twice is open both times. A window that is as a whole in the hour that does not
 * exist, on the night when they go forward, opens when the clocks change, for as long as it is long.
 */
export function nextOpening({ ranges }: Pick<UpdateWindow, 'ranges'>, at: Date, timeZone: string): Date {
  const today = localParts(at, timeZone);
  const openings = ranges.flatMap((range) =>
    // From yesterday, whose window may still be open, to the same day of the next week.
    Array.from({ length: 10 }, (_, index) => openingsOn(range, today, index - 1, timeZone)).flat(),
  );
  const times = openings.filter(({ end }) => end > at.getTime()).map(({ begin }) => Math.max(begin, at.getTime()));
  return new Date(Math.min(...times));
}

interface LocalDay {
  year: number;
  month: number;
  day: number;
}

/** In milliseconds since 1970; `end` is not part of it. */
interface Opening {
  begin: number;
  end: number;
}

/** Two, where clocks go back in between; none: the range is not on that day. */
function openingsOn({ days, from, to }: WindowRange, today: LocalDay, offset: number, timeZone: string): Opening[] {
  const midnight = Date.UTC(today.year, today.month - 1, today.day) + offset * DAY_MS;
  if (!days.includes(new Date(midnight).getUTCDay())) return [];
  const length = (to > from ? to - from : to + DAY_MINUTES - from) * MINUTE_MS;
  const wall = midnight + from * MINUTE_MS;
  const before = offsetAt(wall - DAY_MS, timeZone);
  const after = offsetAt(wall + length + DAY_MS, timeZone);
  if (before === after) return [{ begin: wall - before, end: wall + length - before }];
  const change = changeOf(before, wall - DAY_MS, wall + length + DAY_MS, timeZone);
  const parts = [
    { begin: wall - before, end: Math.min(wall + length - before, change) },
    { begin: Math.max(wall - after, change), end: wall + length - after },
  ].filter(({ begin, end }) => end > begin);
  return parts.length > 0 ? parts : [{ begin: change, end: change + length }];
}

/** The minute between two others at which the clocks change from the offset that they have at the first. */
function changeOf(before: number, first: number, last: number, timeZone: string): number {
  let [still, changed] = [first / MINUTE_MS, last / MINUTE_MS];
  while (changed - still > 1) {
    const middle = Math.floor((still + changed) / 2);
    if (offsetAt(middle * MINUTE_MS, timeZone) === before) still = middle;
    else changed = middle;
  }
  return changed * MINUTE_MS;
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
