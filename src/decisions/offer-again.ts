import { readContainers } from '../containers/read-containers';
import type { Deps } from '../deps';
import type { Update } from '../domain/update';
import { lookInto } from './look-into';
import { mailOfSuperseded } from './mail-of-offer';
import { offer } from './offer';
import { newerCame, supersede } from './supersede';

/** The tag of an update that waits names another digest by now: it is superseded, and the new one offered in its place. */
export async function offerAgain(deps: Deps, update: Update): Promise<void> {
  const digest = await deps.engine.registryDigest(update.to.reference);
  const all = await readContainers(deps.engine, deps.selfId);
  const container = all.find(({ name }) => name === update.container);
  const target = { reference: update.to.reference, digest };
  const seen = container && (await lookInto(deps, container, target));
  deps.store.transaction(() => {
    if (deps.store.updates.get(update.id)?.status !== 'awaiting_approval') return;
    const replaces = supersede(deps, update.id, newerCame(`${update.to.reference} at ${digest}`));
    if (container === undefined) return mailOfSuperseded(deps, replaces);
    offer(deps, { container, all, target, source: update.source, releaseNotes: null, ...seen, replaces });
  });
}
