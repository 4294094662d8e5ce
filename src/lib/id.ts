import { randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';

/** Randomness is drawn in one go for many ids: asking the system for every character costs more than the insert. */
const pool = new Uint8Array(4096);
let used = pool.length;

const next = monotonicFactory(() => {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return (pool[used++] as number) / 256;
});

/** A ULID: unique, and its order is the order of creation within this process. */
export function newId(at: Date): string {
  return next(at.getTime());
}
