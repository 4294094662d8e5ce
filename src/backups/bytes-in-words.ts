import type { Progress } from '../lib/progress';

const MIB = 1024 * 1024;
const EVERY_BYTES = 8 * MIB;

/** Turns a count of bytes into words for the journal, at the first byte and then every few megabytes. */
export function progressInWords(say: Progress, doing: string): (bytes: number) => void {
  let next = 0;
  return (bytes) => {
    if (bytes < next) return;
    next = bytes + EVERY_BYTES;
    say(`${doing}: ${inWords(bytes)}`);
  };
}

export function inWords(bytes: number): string {
  if (bytes < MIB) return `${Math.ceil(bytes / 1024)} KiB`;
  if (bytes < 1024 * MIB) return `${(bytes / MIB).toFixed(1)} MiB`;
  return `${(bytes / 1024 / MIB).toFixed(2)} GiB`;
}
