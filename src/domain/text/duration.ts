const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
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
