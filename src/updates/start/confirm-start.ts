import { confirmDigest } from '../../decisions/ask-registry';
import type { Deps } from '../../deps';
import { askAgainAt } from '../../domain/patience';
import type { Update } from '../../domain/update';
import type { Unstarted } from '../finish';

/**
 * The last question before an update starts: does the registry still name the digest for the tag? The decision may be
 * days old. `held`: the registry does not answer, and the update stays in the queue. `movedTo`: the digest that the tag has
 * instead. Null: it may start.
 */
export async function confirmStart(
  deps: Deps,
  update: Update,
): Promise<Unstarted | { held: Update } | { movedTo: string; reason: string } | null> {
  const confirmed = await confirmDigest((reference) => deps.engine.registryDigest(reference), update.to);
  switch (confirmed.kind) {
    case 'same':
      return null;
    case 'different':
      return { movedTo: confirmed.named, reason: `${update.container} was not changed. ${confirmed.reason}` };
    case 'unknown':
      return { status: 'failed', code: 'registry_refused', reason: confirmed.reason };
    case 'silent':
      return { held: hold(deps, update, confirmed.reason) };
  }
}

function hold({ store, clock, logger }: Deps, update: Update, why: string): Update {
  const now = clock.now();
  const since = update.hold?.since ?? now.toISOString();
  const reason = update.hold?.reason ?? update.reason;
  const until = askAgainAt(new Date(since), now);
  logger.warn('an update waits for the registry', { update: update.id, container: update.container, until, why });
  return store.updates.change(update.id, {
    hold: { since, until, reason },
    reason: `${reason} It waits for the registry, which is asked again: ${why}`,
  });
}
