import type { Deps } from '../deps';
import { codeOf, isEngineLost, messageOf } from '../domain/errors';
import type { Rehearsal, Verdict } from '../domain/rehearsal/rehearsal';
import { announceVerdict } from '../decisions/held-mails';
import { Interrupted, mayGoOn, NoLongerNeeded, type RehearsalRun } from './rehearsal-run';
import { rehearseUpdate } from './rehearse-update';
import { removeRehearsal } from './remove-rehearsals';

const MOST_TRIES = 3;
/** As often as a person reads. */
const PROGRESS_EVERY_MS = 500;

/**
 * Runs the next requested rehearsal, from its beginning also after a crash or an interruption. False: there is none, or
 * something urgent comes first. Rejects with `engine_unreachable` to be called again; every other end is a verdict.
 */
export async function runNextRehearsal(deps: Deps): Promise<boolean> {
  const { store, logger } = deps;
  const rehearsal = store.rehearsals.next();
  if (rehearsal === null) return false;
  const log = logger.child({ rehearsal: rehearsal.id, update: rehearsal.updateId });
  try {
    await removeRehearsal(deps, rehearsal.id);
    const verdict = await verdictOf(deps, rehearsal);
    announceVerdict(deps, rehearsal.id, verdict);
    log.info('rehearsal ended', { ...verdict });
  } catch (error) {
    if (isEngineLost(error)) {
      store.rehearsals.requeue(rehearsal.id); // the rehearsal itself has not failed
      throw error;
    }
    if (!(error instanceof Interrupted)) throw error;
    store.rehearsals.requeue(rehearsal.id);
    log.info('rehearsal interrupted, and repeated later', { by: error.message });
  }
  return true;
}

async function verdictOf(deps: Deps, rehearsal: Rehearsal): Promise<Verdict> {
  const { store, logger } = deps;
  try {
    mayGoOn(deps, rehearsal.updateId);
    const update = store.updates.get(rehearsal.updateId);
    if (update === null) throw new NoLongerNeeded('The update is gone.');
    if (store.rehearsals.begin(rehearsal.id) > MOST_TRIES)
      return skipped(`diun-pilot was stopped in the middle of it ${MOST_TRIES} times.`);
    const run: RehearsalRun = { ...deps, rehearsal, update, onProgress: progressOf(deps, rehearsal.id) };
    return await rehearseUpdate(run);
  } catch (error) {
    if (isEngineLost(error) || error instanceof Interrupted) throw error;
    logger.warn('rehearsal not possible', { rehearsal: rehearsal.id, code: codeOf(error), reason: messageOf(error) });
    return skipped(messageOf(error));
  }
}

function skipped(reason: string): Verdict {
  return { status: 'skipped', seconds: null, detail: reason };
}

function progressOf({ store, clock }: Deps, id: string): (detail: string) => void {
  let next = 0;
  return (detail) => {
    const now = clock.now().getTime();
    if (now < next) return;
    next = now + PROGRESS_EVERY_MS;
    store.rehearsals.progress(id, detail);
  };
}
