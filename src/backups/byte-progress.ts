import { formatBytes } from '../domain/format';
import type { Progress } from '../lib/progress';

const EVERY_BYTES = 8 * 1024 ** 2;

/** Reports a count of bytes to the journal, at the first byte and then every 8 MiB. */
export function byteProgress(say: Progress, doing: string): (bytes: number) => void {
  let next = 0;
  return (bytes) => {
    if (bytes < next) return;
    next = bytes + EVERY_BYTES;
    say(`${doing}: ${formatBytes(bytes)}`);
  };
}
