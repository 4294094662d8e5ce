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

/** The `Message-ID` of a mail, in its sender's domain (RFC 5322, 3.6.4) and the same at each try. */
export function messageId({ id, from }: { id: string; from: string }): string {
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
  return `<${id}@${domain}>`;
}
