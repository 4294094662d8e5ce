import { asideName } from '../../containers/artifact-names';
import { healthFailureOf } from '../../containers/check-health';
import { inspectIfThere } from '../../containers/read-containers';
import { discard, removeByName } from '../../containers/start-stop-remove';
import { changesOf } from '../../domain/data/compare-fingerprints';
import type { DataChange } from '../../domain/data/data-fingerprint';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { codeOf, firstLineOf, messageOf, PilotError, rethrowEngineLost, withCause } from '../../domain/errors';
import { failsAsBefore, type HealthFailure } from '../../domain/health/health-failure';
import type { Update } from '../../domain/update';
import { HOLDS_NOTHING } from '../../restores/files/move-scripts';
import { runOneOff } from '../../restores/files/one-off';
import { plainPath } from '../../restores/files/swap-places';
import type { ActiveUpdate, Run } from '../run';

/** What an update is rolled back for: kept with it when the rollback begins, so that a crash does not lose it. */
export function whyRolledBack({ error }: Update): PilotError {
  return error === null
    ? new PilotError('interrupted', 'diun-pilot was stopped while it rolled back.')
    : new PilotError(error.code, error.message);
}

/** A new container that could not be removed does not change the verdict. Rejects only with `engine_unreachable`. */
export async function removeNew(run: ActiveUpdate): Promise<void> {
  const { engine, store, journal, update, logger } = run;
  try {
    if (journal.newContainerId !== null) {
      await discard(engine, journal.newContainerId, { volumes: await ownVolumesAreEmpty(run) });
      store.disarmed.remove(journal.newContainerId);
    }
    await removeByName({ engine }, asideName(journal.containerName, 'check', update.id));
  } catch (error) {
    rethrowEngineLost(error);
    logger.warn('the new container could not be removed', { update: update.id, reason: messageOf(error) });
  }
}

/** Why changed data stays as it is. */
export const WOULD_BE_LOST = 'data may have been written since the backup, and a restore would lose that.';

/** Introduces the cause of a rollback in a message. */
const ROLLED_BACK = 'The update was rolled back because:';

/**
 * The error of a rollback after which the old container runs on the data of the new version, which changed it or may have.
 * `why`: why it was not restored.
 */
export function dataChangedError(change: DataChange | undefined, cause: PilotError, why: string): PilotError {
  const changes = change === undefined ? '' : changesOf(change);
  const what = changes === '' ? 'The data was' : `The new version changed the data (${changes}), and it was`;
  return new PilotError('data_changed', withCause(`${what} not restored: ${firstLineOf(why)}`, ROLLED_BACK, cause));
}

/**
 * The error of a rollback whose data was restored, while databases that were created since the backup are still there. They are
 * not put aside: another application of the server may have created them, and uses them. Null: there are none.
 */
export function databasesLeft(change: DataChange | undefined, cause: PilotError): PilotError | null {
  const { created = [] } = change ?? {};
  if (created.length === 0) return null;
  const message = `The data was restored, but the following was created since the backup and still exists: ${created.join(', ')}. The backup of this update does not contain it, so the restore did not remove it.`;
  return new PilotError('data_changed', withCause(message, ROLLED_BACK, cause));
}

/**
 * The error of a rollback that failed with `failure`, including its cause. `asBefore`: the failure of the old container's
 * health check before the update, if it is the same now; null otherwise.
 */
export function rollbackFailed(cause: PilotError, failure: unknown, asBefore: HealthFailure | null): PilotError {
  const because = withCause(failure, ROLLED_BACK, cause);
  if (codeOf(failure) === 'changed_meanwhile') return new PilotError('changed_meanwhile', because, { cause: failure });
  if (codeOf(failure) === 'other_unhealthy') return new PilotError('other_unhealthy', because, { cause: failure });
  if (asBefore === null) return new PilotError('rollback_failed', because, { cause: failure });
  const suspect = asBefore.of === 'probe' ? ': its label update.probe may be wrong' : '';
  const before = `The old version did not pass its health check before the update either (${asBefore.detail})${suspect}.`;
  return new PilotError('unhealthy_as_before', `${before} ${because}`, { cause: failure });
}

/**
 * The failure of the old container's health check before the update, if it fails in the same way now, so that its state
 * cannot be verified; null otherwise. Rejects only with `engine_unreachable`.
 */
export async function sameFailureAsBefore(run: Run): Promise<HealthFailure | null> {
  const { unhealthyBefore, oldContainerId: id } = run.journal;
  if (unhealthyBefore === undefined) return null;
  const now = await healthFailureOf(run, { ...run.container, id });
  return failsAsBefore(unhealthyBefore, now) ? unhealthyBefore : null;
}

/**
 * Whether the volumes that the engine made for the container of a new PostgreSQL major alone hold no file: the image from 18 on declares
 * one above the data directory. False: there is none, one has a file, or that is not known. Rejects only with `engine_unreachable`.
 */
async function ownVolumesAreEmpty(run: ActiveUpdate): Promise<boolean> {
  const { engine, journal } = run;
  const { major, oldContainerId, newContainerId, containerName } = journal;
  if (major === undefined || newContainerId === null) return false;
  const [old, fresh] = await Promise.all([oldContainerId, newContainerId].map((id) => inspectIfThere(engine, id)));
  if (!old || !fresh) return false;
  const own = ownVolumes(old, fresh);
  const of = { id: newContainerId, name: containerName };
  for (const path of own) {
    const args = [path, ...fresh.Mounts.map(({ Destination }) => plainPath(Destination))];
    try {
      await runOneOff(run, { of, image: major.shell, mark: major.mark, script: HOLDS_NOTHING, args, path });
    } catch (error) {
      if (!['restore_failed', 'engine_refused', 'image_not_found'].includes(codeOf(error))) throw error;
      return false;
    }
  }
  return own.length > 0;
}

/** Where those without a name are mounted that the old container has not got. */
function ownVolumes(old: ContainerInspect, fresh: ContainerInspect): string[] {
  const known = new Set(old.Mounts.map(({ Name }) => Name));
  return fresh.Mounts.filter(({ Type, Name = '' }) => Type === 'volume' && NAMELESS.test(Name) && !known.has(Name)).map(
    ({ Destination }) => plainPath(Destination),
  );
}

const NAMELESS = /^[0-9a-f]{64}$/;
