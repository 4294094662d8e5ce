import { asideName } from '../containers/artifact-names';
import { inspectByName, inspectIfThere } from '../containers/if-there';
import { renameTo } from '../containers/rename-to';
import { startJoining } from '../containers/start-joining';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import type { Begun } from './run';

/**
 * What somebody else has done to the container while its update ran, as the error `changed_meanwhile`: `docker compose up`,
 * `docker rm`, another diun-pilot. Null: nobody has. While the old container is untouched it must bear the name; later it or
 * the new one must.
 */
export async function whatElseHappened({ engine, journal, update }: Begun): Promise<PilotError | null> {
  const { containerName: name, oldContainerId, newContainerId, stage } = journal;
  const bearer = (await inspectByName(engine, name))?.Id ?? null;
  if (bearer !== null && bearer !== oldContainerId && bearer !== newContainerId) {
    const kept =
      stage === 'preparing' ? '' : ` What was aside is kept if it is there: ${asideName(name, 'old', update.id)}.`;
    return changed(`Somebody else has put another container (${short(bearer)}) in the place of ${name}.${kept}`);
  }
  if (stage === 'settled') return bearer === newContainerId ? null : changed(`Somebody else has taken ${name} away.`);
  if ((await inspectIfThere(engine, oldContainerId)) === null)
    return changed(`Somebody else has removed the old container of ${name} (${short(oldContainerId)}).`);
  if (stage === 'preparing' && bearer !== oldContainerId)
    return changed(`Somebody else has renamed ${name} (${short(oldContainerId)}).`);
  return null;
}

/** At the end some container must have the name; the one that was seen healthy may have been renamed since. Null: one has it. */
export async function whyNameless({ engine, journal }: Begun): Promise<PilotError | null> {
  const bearer = await inspectByName(engine, journal.containerName);
  return bearer === null ? changed(`Somebody else has taken ${journal.containerName} away.`) : null;
}

/** Rejects with what somebody else has done. */
export async function mustBeOurs(run: Begun): Promise<void> {
  const happened = await whatElseHappened(run);
  if (happened !== null) throw happened;
}

/**
 * The old container is gone: the new one is all there is of the name, healthy or not, and bears it again. Where somebody
 * else's does, nothing is done. Rejects only with `engine_unreachable`.
 */
export async function leaveTheNewOne(run: Begun): Promise<void> {
  const { engine, journal } = run;
  if (journal.newContainerId === null || (await inspectByName(engine, journal.containerName)) !== null) return;
  if ((await inspectIfThere(engine, journal.newContainerId)) === null) return;
  try {
    await renameTo(engine, journal.newContainerId, journal.containerName);
    await startJoining(run, journal.newContainerId);
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    run.logger.error('the new container does not take the place of the old one, which is gone', {
      update: run.update.id,
      reason: messageOf(error),
    });
  }
}

function changed(what: string): PilotError {
  return new PilotError('changed_meanwhile', what);
}

const short = (id: string): string => id.slice(0, 12);
