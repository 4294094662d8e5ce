import { readContainers } from '../../containers/read-containers';
import type { Deps } from '../../deps';
import type { Update } from '../../domain/update';
import { lookInto } from '../look-into';
import { mailOfSuperseded } from '../mail-of-offer';
import { offer } from '../offer';
import { newerCame, supersede } from './supersede';

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
  const all = await readContainers(deps.engine, deps.selfId);
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
