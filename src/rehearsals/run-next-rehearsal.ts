import { findUpdate } from '../decisions/approve';
import { announceVerdict } from '../decisions/mail-of-offer';
import { checkSignature } from '../decisions/signatures';
import type { Deps } from '../deps';
import { NotTried, takenAt } from '../domain/backups/backup';
import type { ImageInspect } from '../domain/engine-inspect';
import { codeOf, isEngineLost, messageOf, PilotError } from '../domain/errors';
import { codeAsText } from '../domain/format';
import { targetOf } from '../domain/images/image-reference';
import { INTERRUPTED_TOO_OFTEN, MOST_ATTEMPTS } from '../domain/interruptions';
import { newVolumeRefusals, refusalText } from '../domain/recreate/carry-over';
import { newVolumes } from '../domain/recreate/own-mounts';
import {
  type BackupUsed,
  failedText,
  inconclusiveText,
  isUnderWay,
  passedText,
  type Rehearsal,
  type Verdict,
} from '../domain/rehearsal/rehearsal';
import { writtenProgress } from '../lib/written-progress';
import { pullTarget } from '../updates/pull-by-digest';
import { needRoom } from './free-space';
import {
  Interrupted,
  interruptible,
  mayGoOn,
  NoLongerNeeded,
  type RehearsalRun,
  removeRehearsal,
} from './rehearsal-run';
import { rehearseMajor } from './rehearse-major';
import { lookAtSubject, type Subject } from './subject';
import { tryImage } from './trial';

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
    if (update === null) throw new NoLongerNeeded('The update no longer exists.');
    if (store.rehearsals.begin(rehearsal.id) > MOST_ATTEMPTS) return skipped(INTERRUPTED_TOO_OFTEN);
    const onProgress = writtenProgress(deps, (detail) => store.rehearsals.progress(rehearsal.id, detail));
    const run: RehearsalRun = { ...deps, rehearsal, update, onProgress };
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

/**
 * Tries the new image of an update on a copy of the data, after the current image was tried in the same way: only a
 * difference between the two is a verdict on the new one. Production is read, and nothing of it is changed or stopped.
 *
 * Rejects with `NotTried`, `Interrupted`, `NoLongerNeeded`, and what backup, restore, registry and engine reject with.
 */
async function rehearseUpdate(run: RehearsalRun): Promise<Verdict> {
  const { engine, update } = run;
  const subject = await lookAtSubject(run);
  const backup = backupUsed(subject);
  await needRoom({ ...run, clock: interruptible(run, update.id) }, subject);
  await needSignature(run, subject);
  const { imageId } = await pullTarget(engine, subject.inspect, update, (detail) =>
    run.onProgress(`pulling ${detail}`),
  );
  mayGoOn(run, update.id);
  const image = await engine.inspectImage(imageId);
  const newMajor = run.store.updates.plan(update.id)?.newMajor;
  const backupSeconds = secondsOfBackup(subject);
  if (newMajor !== undefined) return rehearseMajor(run, { subject, newMajor, image, backup, backupSeconds });

  mustHaveSameVolumes(subject, image);
  const current = await tryImage(stage(run, 'current version'), subject, subject.image);
  if (!current.healthy) return { status: 'inconclusive', seconds: null, detail: inconclusiveText(current.words) };

  const next = await tryImage(stage(run, 'new version'), subject, image);
  if (!next.healthy) return { status: 'failed', seconds: null, detail: failedText(backup, next.words) };
  const expectedSeconds = backupSeconds === null ? null : backupSeconds + next.seconds;
  return { status: 'passed', seconds: next.seconds, detail: passedText({ ...next, backup, expectedSeconds }) };
}

/** The update would be refused whatever its rehearsal shows. */
function mustHaveSameVolumes({ inspect }: Subject, image: ImageInspect): void {
  const refusals = newVolumeRefusals(newVolumes(inspect, image));
  if (refusals.length > 0) throw new NotTried(`The update will be refused. ${refusals.map(refusalText).join(' ')}`);
}

/** An image that no one has approved yet runs only if it is signed as required, or if who has the password requests it; a wrong signature is refused always. */
async function needSignature(run: RehearsalRun, { container }: Subject): Promise<void> {
  const target = targetOf(run.update.to);
  if (target === null) return;
  const registry = { signatures: (at: string) => run.registrySignatures.of(at) };
  const checked = await checkSignature(run, container, target, registry);
  if (checked === null || checked.status === 'verified') return;
  const requestedBy = run.store.rehearsals.get(run.rehearsal.id)?.requestedBy ?? null;
  const asked = run.rehearsal.mail === null && requestedBy === null && checked.status === 'missing';
  if (!asked) throw new NotTried(`The image is not run before its signature is verified: ${checked.why ?? ''}.`);
}

function stage(run: RehearsalRun, which: string): RehearsalRun {
  return { ...run, onProgress: (detail) => run.onProgress(`${which}: ${detail}`) };
}

function backupUsed({ set }: Subject): BackupUsed | null {
  if (set === null) return null;
  return { startedAt: takenAt(set.record), bytes: set.record.bytes ?? 0, live: set.live };
}

/** How long the backup of the set took; null: that is not known. */
function secondsOfBackup({ set }: Subject): number | null {
  const { startedAt = null, finishedAt = null } = set?.record ?? {};
  if (startedAt === null || finishedAt === null) return set === null ? 0 : null;
  return Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
}

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
    const update = findUpdate(store, updateId);
    if (update.status !== 'awaiting_approval' && update.status !== 'queued') {
      const status = codeAsText(update.status).toLowerCase();
      const message = `The update of ${update.container} is ${status}. Only an update that is pending or queued can be rehearsed.`;
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
