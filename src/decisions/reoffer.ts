import type { Deps } from '../deps';
import { type Container, runsDigest } from '../domain/container';
import { passGuards } from '../domain/decision/guards';
import type { WorkOutcome } from '../domain/due-work';
import { type ImageTarget, targetOf } from '../domain/images/image-reference';
import type { NewMajor } from '../domain/plan/postgres-major';
import { changedSettings } from '../domain/plan/seen-settings';
import type { Update } from '../domain/update';
import { readTargets } from '../services/read-targets';
import { askRegistry } from './ask-registry';
import { lookInto, newMajorFor } from './look-into';
import { mailOfSuperseded } from './mail-of-offer';
import { newerCame, offer, type Offer, supersede } from './offer';
import { whenQueuedMayStart } from './when-to-start';

export const CHANGE_IS_MADE = 'The compose file was changed as the plan asked, so the update is offered again.';

/** Whether the line of the compose file for which an update waits is there by now. `now`: what a plan would say of it. */
export function isChangeMade({ store }: Pick<Deps, 'store'>, { id }: Update, now: NewMajor | null): boolean {
  return waitsForChange({ store }, id) && (now?.change ?? null) === null;
}

function waitsForChange({ store }: Pick<Deps, 'store'>, id: string): boolean {
  return (store.updates.plan(id)?.newMajor?.change ?? null) !== null;
}

/**
 * Offers an update again that is pending approval but was decided for a container that has changed, by a patch or by the
 * operator: approved as it is, it would end as superseded. What is queued for a time has the time of now, by its window and age.
 */
export async function reofferChanged(deps: Deps): Promise<WorkOutcome> {
  const all = await readTargets(deps);
  retime(deps, all);
  let changed = 0;
  for (const update of deps.store.updates.withStatus('awaiting_approval')) {
    const container = all.find(({ name }) => name === update.container);
    const target = targetOf(update.to);
    if (container === undefined || target === null) continue;
    const why = await whyOutdated(deps, update, container, target);
    if (why === null) continue;
    const seen = await lookInto(deps, container, target);
    deps.store.transaction(() => reoffer(deps, update, why, { container, all, target, ...seen }));
    changed += 1;
  }
  return { outcome: `${changed} offered again from what runs by now.`, trouble: null };
}

/** The start asks again whether it is too early; here, whether it could be earlier. */
function retime(deps: Deps, all: readonly Container[]): void {
  const { updates } = deps.store;
  for (const update of updates.withStatus('queued')) {
    const container = all.find(({ name }) => name === update.container);
    if (container === undefined || !update.inWindow || update.notBefore === null) continue;
    const { notBefore } = whenQueuedMayStart(deps, update, container);
    if (notBefore !== update.notBefore) updates.change(update.id, { notBefore });
  }
}

/** Null: it was decided for what runs. */
async function whyOutdated(
  deps: Deps,
  update: Update,
  container: Container,
  target: ImageTarget,
): Promise<string | null> {
  const { guard } = passGuards(container);
  if (guard !== null) return guard.reason;
  if (isOfAnother(update, container) || changedSinceOffer(deps, update, container) !== null)
    return `${container.name} was changed in the meantime, so the update is offered again.`;
  if (!waitsForChange(deps, update.id)) return null;
  const now = await newMajorFor(deps, container, target, askRegistry(deps));
  return isChangeMade(deps, update, now) ? CHANGE_IS_MADE : null;
}

function isOfAnother({ from }: Update, container: Container): boolean {
  const digest = from?.digest ?? null;
  return digest !== null && !runsDigest(container, digest);
}

/** A person may have decided since it was looked at. */
function reoffer(
  deps: Deps,
  { id, source }: Update,
  why: string,
  seen: Omit<Offer, 'source' | 'releaseNotes' | 'replaces'>,
): void {
  const { updates } = deps.store;
  if (updates.get(id)?.status !== 'awaiting_approval') return;
  const releaseNotes = updates.plan(id)?.releaseNotes ?? null;
  const replaces = supersede(deps, id, why);
  offer(deps, { ...seen, source, releaseNotes, replaces });
}

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
  const all = await readTargets(deps);
  const target = targetOf(to);
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

/** The tag of an update that waits names another digest by now: it is superseded, and the new one offered in its place. */
export async function offerAgain(deps: Deps, update: Update): Promise<void> {
  const { reference } = update.to;
  const digest = await deps.engine.registryDigest(reference);
  await offerMoved(deps, update, digest, newerCame(`${reference} at ${digest}`));
}

/**
 * Supersedes an update that waits or is queued, and decides on the digest that its tag has now. What an operator requested is
 * a word on the older digest: then the policy decides on the newer one. Resolves with the older update.
 */
export async function offerMoved(deps: Deps, update: Update, digest: string, reason: string): Promise<Update> {
  const { id, status } = update;
  const all = await readTargets(deps);
  const container = all.find(({ name }) => name === update.container);
  const target = { reference: update.to.reference, digest };
  const seen = container && (await lookInto(deps, container, target));
  return deps.store.transaction(() => {
    const now = deps.store.updates.get(id) as Update;
    if (now.status !== status) return now;
    deps.logger.info('the tag of an update has moved', { update: id, container: update.container, to: target });
    const replaces = supersede(deps, id, reason);
    const source = status === 'queued' && update.source === 'operator' ? 'reconcile' : update.source;
    if (container === undefined) mailOfSuperseded(deps, replaces);
    else offer(deps, { container, all, target, source, releaseNotes: null, ...seen, replaces });
    return replaces;
  });
}
