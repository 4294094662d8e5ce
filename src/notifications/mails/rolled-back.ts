import { changesOf, unknownChange } from '../../domain/data/compare-fingerprints';
import { formatBetween, formatTime } from '../../domain/format';
import { awaySince, restoreIn, type Step, type StepName, type Update } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { important, paragraph, type Block } from '../letter/letter';
import type { FailureText, Seen } from './failure-text';
import { nameOf } from './passages/passages';

/** The unchanged old container was started again, and is healthy. */
export function runsAgain(update: Update, seen: Seen): FailureText {
  const name = nameOf(update);
  return {
    subject: subjectOfRollback(seen),
    tone: 'attention',
    word: 'Rolled back',
    heading: `${name} is running its old version again`,
    opening: [
      paragraph(`The new version did not work, so the unchanged old container was started again.${urgency(seen)}`),
      ...unknownData(seen),
      paragraph(verifiedHow(update)),
      ...interruption(update, seen),
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

export function subjectOfRollback(seen: Seen): string {
  if (seen.newData)
    return 'rolled back, the data written since the load is kept separately – decide what to do with it';
  return isUnknown(seen)
    ? 'rolled back, the old version is running – check its data'
    : 'rolled back – nothing urgent, the old version is running';
}

/** A handover that failed while the old container was still serving. */
export function neverStopped(update: Update, seen: Seen): FailureText {
  const name = nameOf(update);
  return {
    subject: isUnknown(seen)
      ? 'rolled back, the old version kept running – check its data'
      : 'rolled back – nothing urgent, the old version kept running',
    tone: 'attention',
    word: 'Rolled back',
    heading: `${name} is still running its old version`,
    opening: [
      paragraph(
        'The new container did not work next to the old one and was removed. The old container was never stopped.',
      ),
      paragraph(verifiedHow(update)),
      paragraph(
        `${urgency(seen).trim()} The new container may have answered some requests before it was removed.`.trim(),
      ),
      ...unknownData(seen),
    ],
    labels: { from: 'Still running', to: 'Failed version' },
  };
}

/** diun-pilot could not read whether the new version changed the data. */
function isUnknown({ dataChange }: Seen): boolean {
  return dataChange !== null && unknownChange(dataChange) !== null;
}

/** As a sentence with a space before it, or empty. */
export function urgency(seen: Seen): string {
  return isUnknown(seen) || seen.newData ? '' : ' Nothing is urgent.';
}

export function unknownData({ dataChange }: Seen): Block[] {
  const unknown = dataChange && unknownChange(dataChange);
  if (unknown === null) return [];
  return [important(`${unknown} Check the log of the old version before you rely on its data.`)];
}

/** After the restore of the data, if there was one: what ran before it proves nothing of that data. */
export function verifiedHow(update: Update): string {
  const check = lastCheck(update);
  const how = check?.detail ? splitDetail(check.detail).sentence : 'its health check succeeded';
  return `Verified after the ${check?.name === 'restore_health_check' ? 'restore' : 'rollback'}: ${how}`;
}

/** The health check that found the old version healthy: the first, or the one after the data was restored. */
export function lastCheck(update: Update): Step | undefined {
  const checks: readonly StepName[] = ['rollback_health_check', 'restore_health_check'];
  return update.steps.find((step) => checks.includes(step.name) && step.status === 'succeeded');
}

function interruption(update: Update, { ownStop }: Seen): Block[] {
  const stopped = awaySince(update, ownStop);
  const verified = lastCheck(update)?.finishedAt;
  const took = formatBetween(stopped, verified);
  if (!stopped || !verified || took === null) return [];
  return [
    paragraph(
      `${nameOf(update)} may have been offline between ${formatTime(stopped)} and ${formatTime(verified)} (at most ${took}).`,
    ),
  ];
}

/** Why the data was restored in the rollback, what was kept, and the commands that remove it; empty if it was not. */
export function restored(update: Update, seen: Seen): Block[] {
  const restore = restoreIn(update);
  if (restore === undefined) return [];
  const { sentence, output } = splitDetail(restore.detail ?? '');
  return [
    important(update.kind === 'service' ? RESTORED_AT_ZERO : seen.backupWasChosen ? CHOSEN : whyRestored(seen)),
    ...(sentence === '' ? [] : [paragraph(sentence)]),
    ...(output.length === 0 ? [] : [{ type: 'commands' as const, lines: output }]),
  ];
}

const RESTORED_AT_ZERO =
  'The new version had changed the data, so the data was restored from the backup of this update. Every service that writes to the data had been scaled to 0 since that backup.';
const CHOSEN =
  'As you chose, the data was restored from the backup of this update. Data written since that backup is only in the copy that is kept.';

/** Without being asked: no known container has written since the backup. */
function whyRestored({ dataChange }: Seen): string {
  const changes = dataChange === null ? '' : changesOf(dataChange);
  const why =
    changes === ''
      ? 'The old version was not healthy after the rollback'
      : `The new version had changed the data (${changes})`;
  return `${why}, so the data was restored from the backup of this update. Every container that writes to the data had been stopped since that backup.`;
}
