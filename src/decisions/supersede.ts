import type { Deps } from '../deps';
import type { Update } from '../domain/update';

/** Why an offer is superseded by `what`. */
export function newerCame(what: string): string {
  return `A newer digest came for the same container: ${what}.`;
}

/** The tag moved, a newer one came, or the container changed: what was offered before is not what would be run. */
export function supersede({ store, clock }: Deps, id: string, reason: string): Update {
  const now = clock.now().toISOString();
  const update = store.updates.get(id);
  return store.updates.change(id, {
    status: 'superseded',
    reason,
    finishedAt: now,
    ...(update?.approval ? { approval: { ...update.approval, status: 'superseded', decidedAt: now } } : {}),
  });
}
