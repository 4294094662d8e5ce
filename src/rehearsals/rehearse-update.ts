import { checkSignature } from '../decisions/signatures';
import { NotTried } from '../domain/backups/drill';
import type { Verdict } from '../domain/rehearsal/rehearsal';
import { failedText, inconclusiveText, passedText, type BackupUsed } from '../domain/rehearsal/verdict-text';
import { rehearseMajor } from './rehearse-major';
import { pullTarget } from '../updates/pull-by-digest';
import { needRoom } from './free-space';
import { interruptible, mayGoOn, type RehearsalRun } from './rehearsal-run';
import { lookAtSubject, type Subject } from './subject';
import { tryImage } from './trial';

/**
 * Tries the new image of an update on a copy of the data, after the current image was tried in the same way: only a
 * difference between the two is a verdict on the new one. Production is read, and nothing of it is changed or stopped.
 *
 * Rejects with `NotTried`, `Interrupted`, `NoLongerNeeded`, and what backup, restore, registry and engine reject with.
 */
export async function rehearseUpdate(run: RehearsalRun): Promise<Verdict> {
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

  const current = await tryImage(stage(run, 'current version'), subject, subject.image);
  if (!current.healthy) return { status: 'inconclusive', seconds: null, detail: inconclusiveText(current.words) };

  const next = await tryImage(stage(run, 'new version'), subject, image);
  if (!next.healthy) return { status: 'failed', seconds: null, detail: failedText(backup, next.words) };
  const expectedSeconds = backupSeconds === null ? null : backupSeconds + next.seconds;
  return { status: 'passed', seconds: next.seconds, detail: passedText({ ...next, backup, expectedSeconds }) };
}

/** An image that no one has approved yet runs only if it is signed as required, or if who has the password requests it; a wrong signature is refused always. */
async function needSignature(run: RehearsalRun, { container }: Subject): Promise<void> {
  const { reference, digest } = run.update.to;
  if (digest === null) return;
  const registry = { signatures: (at: string) => run.registrySignatures.of(at) };
  const checked = await checkSignature(run, container, { reference, digest }, registry);
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
  const { startedAt, createdAt, bytes } = set.record;
  return { startedAt: startedAt ?? createdAt, bytes: bytes ?? 0, live: set.live };
}

/** How long the backup of the set took; null: that is not known. */
function secondsOfBackup({ set }: Subject): number | null {
  const { startedAt = null, finishedAt = null } = set?.record ?? {};
  if (startedAt === null || finishedAt === null) return set === null ? 0 : null;
  return Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
}
