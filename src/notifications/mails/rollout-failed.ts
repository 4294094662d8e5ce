import type { StepName, Update } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { important, machineSaid, paragraph, section, shellCommand, type Block } from '../letter/letter';
import { changedAndNotRestored, changesIn, dataChangeBlocks } from './data-changed';
import { failedOnWayBack, titleOf, type FailureText, type Seen } from './failure-text';
import { lastCheck, restored, subjectOfRollback, unknownData, urgency, verifiedHow } from './rolled-back';
import { errorOf, LOOK_AT_ANY_SERVICE, lookAtService, nameOf } from './passages/passages';

/** `scaled`: names of the services that were scaled to 0 for the backup, which the reason lists. */
export function serviceUntouched({ reason, container }: Update, scaled: readonly string[]): string {
  return scaled.length === 0
    ? `diun-pilot did not change ${container ?? ''} or its tasks. Nothing is urgent.`
    : `${reason} Each one that was healthy before is healthy again. Nothing is urgent.`;
}

/** Swarm replaced its tasks: no container was kept or started again. */
export function serviceRolledBack(update: Update, _backup: unknown, seen: Seen): FailureText {
  return {
    subject: subjectOfRollback(seen),
    tone: 'attention',
    word: 'Rolled back',
    heading: `${titleOf(update)} is running its old version again`,
    opening: [
      paragraph(`The new version did not work, so the service was rolled back to its old image.${urgency(seen)}`),
      ...restored(update, seen),
      ...changesIn(seen.dataChange),
      ...unknownData(seen),
      ...(lastCheck(update)?.detail ? [paragraph(verifiedHow(update))] : []),
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

export function serviceNeedsAction(update: Update, _backup: unknown, seen: Seen): FailureText {
  const { subject, heading, important: what, repair, look } = situation(update, seen);
  return {
    subject: `${subject} – manual action required`,
    tone: 'alarm',
    word: 'Manual action required',
    heading,
    opening: [
      important(`Manual action required: ${what}`),
      paragraph(errorOf(update).sentence),
      // Its sentence is that of the error.
      ...machineSaid(splitDetail(failedOnWayBack(update)?.detail ?? '').output),
      ...manualChange(update, seen),
      ...section('Look at it first', look ?? lookAtService(nameOf(update))),
      ...(repair ? section('Then bring it back', { type: 'commands', lines: back(update) }) : []),
    ],
    labels: { from: 'Previous version', to: 'Planned version' },
  };
}

/** Where the new version runs on, its data is as it should be. */
function manualChange(update: Update, { dataChange }: Seen): Block[] {
  const rolledBack = update.steps.some(({ name }) => name === 'rollback');
  return rolledBack ? changedAndNotRestored(update, dataChange) : dataChangeBlocks(dataChange);
}

interface Situation {
  subject: string;
  heading: string;
  important: string;
  /** Whether the old image can help. */
  repair: boolean;
  /** Commands for another service than the updated one. */
  look?: Block;
}

function situation(update: Update, { leftAtZero, replaced }: Seen): Situation {
  const name = nameOf(update);
  if (leftAtZero.length > 0) {
    return {
      subject: 'DOWN, its data is only partly restored',
      heading: `The data of ${name} is only partly restored`,
      important: `restore the data of ${name} (docs/swarm.md has the commands). These services stay at 0 replicas until the data is restored: ${leftAtZero.join(', ')}.`,
      repair: false,
    };
  }
  if (update.error?.code === 'changed_meanwhile') {
    return {
      subject: 'changed externally during its update',
      heading: `The service ${name} was changed externally during its update`,
      important: `check that ${name} works. Another client changed it, and diun-pilot does not undo that change.`,
      repair: false,
    };
  }
  const other = otherSituation(update, replaced);
  return (
    other ?? {
      subject: 'update and rollback failed',
      heading: `The update and the rollback of the service ${name} failed`,
      important: `diun-pilot cannot repair ${name} automatically. The commands are below.`,
      repair: true,
    }
  );
}

/** Null unless the service itself works, and another one that was scaled to 0 for its backup does not. */
function otherSituation(update: Update, replaced: boolean): Situation | null {
  const name = nameOf(update);
  const has = (step: StepName): boolean => update.steps.some((each) => each.name === step);
  const heading = `A service that was scaled to 0 for the backup of ${name} is not healthy`;
  if (!replaced) {
    return {
      subject: 'update aborted, a service scaled to 0 for its backup is not healthy',
      heading,
      important: `a service that was scaled to 0 for the backup is not healthy. The image of ${name} was not changed.`,
      repair: false,
      look: LOOK_AT_ANY_SERVICE,
    };
  }
  if (update.error?.code !== 'other_unhealthy') return null;
  const [subject, version] = has('rollback') ? ['rolled back', 'old'] : ['updated', 'new'];
  return {
    subject: `${subject}, another service is not healthy`,
    heading,
    important: `another service, which was scaled to 0 for the backup, is not healthy. ${name} runs its ${version} version and is healthy.`,
    repair: false,
    look: LOOK_AT_ANY_SERVICE,
  };
}

function back({ from, container }: Update): string[] {
  if (from === null) return [];
  const image = from.digest === null ? from.reference : `${from.reference}@${from.digest}`;
  return [shellCommand('docker', 'service', 'update', '--image', image, container ?? '')];
}
