import { setImmediate } from 'node:timers/promises';

/** Lets pending work (a webhook, a probe) run between two pieces of synchronous work. */
export function nextTurn(): Promise<void> {
  return setImmediate();
}
