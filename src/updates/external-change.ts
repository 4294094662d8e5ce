import { asideName } from '../containers/artifact-names';
import { inspectByName, inspectIfThere } from '../containers/read-containers';
import { renameTo, startJoining } from '../containers/start-stop-remove';
import { messageOf, PilotError, rethrowEngineLost } from '../domain/errors';
import type { ActiveUpdate } from './run';
import { shortId } from '../domain/format';

/**
 * Returns `changed_meanwhile` if the container was replaced, renamed or removed externally while its update ran:
 * `docker compose up`, `docker rm`, another diun-pilot. Null otherwise. While the old container is untouched it must have
 * the name; later it or the new one must.
 */
export async function detectExternalChange({ engine, journal, update }: ActiveUpdate): Promise<PilotError | null> {
  const { containerName: name, oldContainerId, newContainerId, stage } = journal;
  const bearer = (await inspectByName(engine, name))?.Id ?? null;
  if (bearer !== null && bearer !== oldContainerId && bearer !== newContainerId) {
    const kept =
      stage === 'preparing' || stage === 'settled'
        ? ''
        : ` A renamed container of this update is kept if it exists: ${asideName(name, 'old', update.id)}.`;
    return changed(`${name} was replaced externally by another container (${shortId(bearer)}).${kept}`);
  }
  if (stage === 'settled') return bearer === newContainerId ? null : changed(`${name} was removed externally.`);
  if ((await inspectIfThere(engine, oldContainerId)) === null)
    return changed(`The old container of ${name} (${shortId(oldContainerId)}) was removed externally.`);
  if (stage === 'preparing' && bearer !== oldContainerId)
    return changed(`${name} (${shortId(oldContainerId)}) was renamed externally.`);
  return null;
}

/** At the end some container must have the name; the one that was seen healthy may have been renamed since. Null: one has it. */
export async function whyNameless({ engine, journal }: ActiveUpdate): Promise<PilotError | null> {
  const bearer = await inspectByName(engine, journal.containerName);
  return bearer === null ? changed(`${journal.containerName} was removed externally.`) : null;
}

/** Rejects with the external change. */
export async function assertNoExternalChange(run: ActiveUpdate): Promise<void> {
  const happened = await detectExternalChange(run);
  if (happened !== null) throw happened;
}

/**
 * The old container is gone: the new one, healthy or not, is the only one left and gets the name. If an external container
 * has the name, nothing is done. Rejects only with `engine_unreachable`.
 */
export async function promoteNewContainer(run: ActiveUpdate): Promise<void> {
  const { engine, journal } = run;
  if (journal.newContainerId === null) return;
  try {
    if ((await inspectByName(engine, journal.containerName)) !== null) return;
    if ((await inspectIfThere(engine, journal.newContainerId)) === null) return;
    await renameTo(engine, journal.newContainerId, journal.containerName);
    await startJoining(run, journal.newContainerId);
  } catch (error) {
    rethrowEngineLost(error);
    run.logger.error('the new container does not take the place of the old one, which is gone', {
      update: run.update.id,
      reason: messageOf(error),
    });
  }
}

function changed(what: string): PilotError {
  return new PilotError('changed_meanwhile', what);
}
