import { monotonicFactory } from 'ulid';

const next = monotonicFactory();

/** A ULID: unique, and its order is the order of creation within this process. */
export function newId(at: Date): string {
  return next(at.getTime());
}
