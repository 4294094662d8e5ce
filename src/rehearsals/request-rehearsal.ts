import type { Deps } from '../deps';
import { PilotError } from '../domain/errors';
import { isUnderWay, type Rehearsal } from '../domain/rehearsal/rehearsal';

/**
 * The operator requests a rehearsal of an update that waits for approval or is queued, whatever `update.rehearse` says. One
 * that is under way counts. `by`: the link of the mail, which runs no unsigned image; left out: who has the password. Throws `update_not_found`, `not_waiting` for an update that runs or has ended,
 * and `service_refused` for that of a service.
 */
export function requestRehearsal(
  { store, logger }: Pick<Deps, 'store' | 'logger'>,
  updateId: string,
  by: Rehearsal['requestedBy'] = null,
): Rehearsal {
  return store.transaction(() => {
    const update = store.updates.get(updateId);
    if (update === null)
      throw new PilotError(
        'update_not_found',
        'No update has this id: GET /updates, or diun-pilot updates, lists them.',
      );
    if (update.status !== 'awaiting_approval' && update.status !== 'queued') {
      const message = `The update of ${update.container} is ${update.status}: only one that waits for approval or is queued can be rehearsed.`;
      throw new PilotError('not_waiting', message);
    }
    if (update.kind === 'service')
      throw new PilotError('service_refused', 'Only containers are rehearsed: Swarm rolls a service back if it fails.');
    const last = store.rehearsals.of(updateId);
    if (last !== null && isUnderWay(last)) {
      if (by === null) store.rehearsals.takeOver(last.id);
      return last;
    }
    logger.info('rehearsal requested', { update: updateId, container: update.container });
    return store.rehearsals.insert({ updateId, digest: update.to.digest, mail: null, requestedBy: by });
  });
}
