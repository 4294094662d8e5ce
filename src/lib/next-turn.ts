import { setImmediate } from 'node:timers/promises';

/** Lets everything that waits (a webhook, a probe) have its turn, between two pieces of work that do not wait by themselves. */
export function nextTurn(): Promise<void> {
  return setImmediate();
}
