import type { Deps } from '../deps';
import { reasonUnder } from '../domain/mode';

/** Each queued update says why it does not start while diun-pilot observes, and no longer says it afterwards. */
export function noteMode({ store, mode }: Pick<Deps, 'store' | 'mode'>): void {
  for (const { id, reason } of store.updates.withStatus('queued')) {
    const noted = reasonUnder(mode, reason);
    if (noted !== reason) store.updates.change(id, { reason: noted });
  }
}
