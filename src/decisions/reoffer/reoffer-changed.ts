import { readContainers } from '../../containers/read-containers';
import type { Deps } from '../../deps';
import type { Container } from '../../domain/container';
import type { WorkOutcome } from '../../domain/due-work';
import { runsDigest } from '../../domain/running-digest';
import type { Update } from '../../domain/update';
import { changedSinceOffer } from './changed-since-offer';
import { lookInto } from '../look-into';
import { offer, type Offer } from '../offer';
import { supersede } from './supersede';

/**
 * Offers an update again that is pending approval but was decided for a container that has changed, by a patch or by the
 * operator: approved as it is, it would end as superseded.
 */
export async function reofferChanged(deps: Deps): Promise<WorkOutcome> {
  const all = await readContainers(deps.engine, deps.selfId);
  const changed = deps.store.updates.withStatus('awaiting_approval').flatMap((update) => {
    const container = all.find(({ name }) => name === update.container);
    return container !== undefined &&
      (isOfAnother(update, container) || changedSinceOffer(deps, update, container) !== null)
      ? [{ update, container }]
      : [];
  });
  for (const { update, container } of changed) {
    const { reference, digest } = update.to;
    if (digest === null) continue;
    const target = { reference, digest };
    const seen = await lookInto(deps, container, target);
    deps.store.transaction(() => reoffer(deps, update, { container, all, target, ...seen }));
  }
  return { outcome: `${changed.length} offered again from what runs by now.`, trouble: null };
}

function isOfAnother({ from }: Update, container: Container): boolean {
  const digest = from?.digest ?? null;
  return digest !== null && !runsDigest(container, digest);
}

/** A person may have decided since it was looked at. */
function reoffer(deps: Deps, { id, source }: Update, seen: Omit<Offer, 'source' | 'releaseNotes' | 'replaces'>): void {
  const { updates } = deps.store;
  if (updates.get(id)?.status !== 'awaiting_approval') return;
  const releaseNotes = updates.plan(id)?.releaseNotes ?? null;
  const replaces = supersede(
    deps,
    id,
    `${seen.container.name} was changed in the meantime, so the update is offered again.`,
  );
  offer(deps, { ...seen, source, releaseNotes, replaces });
}
