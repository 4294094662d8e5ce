import { readContainers } from '../../containers/read-containers';
import type { Deps } from '../../deps';
import type { Container } from '../../domain/container';
import { changedSettings } from '../../domain/plan/seen-settings';
import type { Update } from '../../domain/update';
import { lookInto } from '../look-into';
import { mailOfSuperseded } from '../mail-of-offer';
import { offer } from '../offer';
import { supersede } from './supersede';

/** What the operator changed on the container since the decision, as a sentence; null: nothing that was compared. */
export function changedSinceOffer({ store }: Pick<Deps, 'store'>, { id }: Update, container: Container): string | null {
  const seen = store.updates.plan(id)?.seen;
  const changed = seen === undefined ? [] : changedSettings(seen, container);
  if (changed.length === 0) return null;
  return `${container.name} was changed since this update was decided: ${changed.join('; ')}.`;
}

/**
 * Ends a queued update as superseded and decides again from the container as it is now. What the operator requested
 * ends only: a request is for what the operator knew.
 */
export async function offerInstead(
  deps: Deps,
  { id, source, to }: Update,
  container: Container,
  reason: string,
): Promise<Update> {
  const all = await readContainers(deps.engine, deps.selfId);
  const target = to.digest === null ? null : { reference: to.reference, digest: to.digest };
  const seen = target && (await lookInto(deps, container, target));
  return deps.store.transaction(() => {
    const { updates } = deps.store;
    if (updates.get(id)?.status !== 'queued') return updates.get(id) as Update;
    const replaces = supersede(deps, id, reason);
    if (source === 'operator' || target === null) mailOfSuperseded(deps, replaces);
    else {
      const releaseNotes = updates.plan(id)?.releaseNotes ?? null;
      offer(deps, { container, all, target, source, releaseNotes, ...seen, replaces });
    }
    return replaces;
  });
}
