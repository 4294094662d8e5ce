import type { DataChange } from '../../domain/data/data-fingerprint';
import { restoreIn, type StepName, type Update } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { machineSaid, paragraph, section, type Block, shellCommand } from '../letter/letter';
import { changedAndNotRestored, changesIn, databaseLeft, isDataChanged, whatChanged } from './data-changed';
import { type FailureText, isGone, noLongerThere, type Seen, type TakenBackup, UNDOING } from './failure-text';
import { subjectOfRollback, unknownData, urgency } from './rolled-back';
import { isUnhealthyAsBefore } from './special-failures';
import { nameOf } from './passages/passages';

/** The end of a service's update that did not succeed: Swarm replaced its tasks, and no container was kept or started again. */
export function serviceFailed(update: Update, backup: TakenBackup, seen: Seen): FailureText {
  const { dataChange = null, stopped = [] } = seen;
  if (update.status === 'failed') return unchanged(update, stopped);
  if (isUnhealthyAsBefore(update)) return asBefore(update, dataChange);
  if (update.status === 'rolled_back') return rolledBack(update, seen);
  if (isDataChanged(update) && restoreIn(update) !== undefined) return leftDatabase(update);
  return isDataChanged(update) ? onChangedData(update, backup, dataChange) : manualAction(update, seen);
}

function leftDatabase(update: Update): FailureText {
  const text = databaseLeft(update);
  return { ...text, opening: [...text.opening, ...restored(update)] };
}

/** The old version runs and is healthy, but the new one changed its data: only the operator can decide. */
function onChangedData(update: Update, backup: TakenBackup, dataChange: DataChange | null): FailureText {
  const name = nameOf(update);
  const from = backup?.url ? ` from ${backup.url}` : '';
  return {
    subject: 'rolled back, but its data was changed by the new version – decide about a restore',
    tone: 'alarm',
    word: 'Rolled back, data changed',
    heading: `The service ${name} is running its old version on data that the new version changed`,
    opening: [
      {
        type: 'important',
        text: `Decision required: the old version of ${name} is healthy, but it was not made for this data. It may fail later or damage it.`,
      },
      ...whatChanged(dataChange),
      paragraph(splitDetail(update.error?.message ?? update.reason).sentence),
      ...section('What you can do', {
        type: 'list',
        items: [
          `Restore the backup of this update manually${from}: docs/swarm.md has the commands. Data written since the backup is then lost.`,
          `Keep the data and move forward: update ${name} to a version that works with it.`,
        ],
      }),
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

/** Swarm runs the old version again, and its health says nothing: there is nothing to bring back. */
function asBefore(update: Update, dataChange: DataChange | null): FailureText {
  const name = nameOf(update);
  return {
    subject: 'rolled back, its health check fails as before the update – please check',
    tone: 'alarm',
    word: 'Unhealthy, as before',
    heading: `The service ${name} fails its health check with its old version, as it did before the update`,
    opening: [
      {
        type: 'important',
        text: `The tasks of ${name} run the old version again, but diun-pilot cannot verify whether it works. Please check it.`,
      },
      paragraph(splitDetail(update.error?.message ?? update.reason).sentence),
      ...changedAndNotRestored(update, dataChange),
      ...section(
        'If it works',
        paragraph(
          'The health check is wrong. Fix the label update.probe (or the healthcheck) in the stack file, and deploy it.',
        ),
      ),
      ...section('If it does not work', look(name)),
      paragraph('It was already unhealthy before the update, so the cause may be unrelated.'),
      ...restored(update),
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

function look(name: string): Block {
  return {
    type: 'commands',
    lines: [
      shellCommand('docker', 'service', 'ps', '--no-trunc', name),
      shellCommand('docker', 'service', 'logs', '--tail', '100', name),
    ],
  };
}

function unchanged(update: Update, scaled: readonly string[]): FailureText {
  if (isGone(update)) return noLongerThere(update);
  const name = nameOf(update);
  return {
    subject: 'update failed, nothing was changed – nothing urgent',
    tone: 'attention',
    word: 'Failed, nothing changed',
    heading: `The update of the service ${name} failed before anything was changed`,
    opening: [paragraph(untouched(update, scaled))],
    labels: { from: 'Still running', to: 'Planned version' },
  };
}

/** `scaled`: names of the services that were scaled to 0 for the backup, which the reason lists. */
function untouched({ reason, container }: Update, scaled: readonly string[]): string {
  return scaled.length === 0
    ? `diun-pilot did not change ${container ?? ''} or its tasks. Nothing is urgent.`
    : `${reason} Each one that was healthy before is healthy again. Nothing is urgent.`;
}

function rolledBack(update: Update, seen: Seen): FailureText {
  const checks: readonly StepName[] = ['rollback_health_check', 'restore_health_check'];
  const check = update.steps.find(({ name, status }) => checks.includes(name) && status === 'succeeded');
  const verified = check?.detail
    ? [paragraph(`Verified after the rollback: ${splitDetail(check.detail).sentence}`)]
    : [];
  return {
    subject: subjectOfRollback(seen),
    tone: 'attention',
    word: 'Rolled back',
    heading: `The service ${nameOf(update)} is running its old version again`,
    opening: [
      paragraph(`The new version did not work, so the service was rolled back to its old image.${urgency(seen)}`),
      ...restored(update),
      ...changesIn(seen.dataChange ?? null),
      ...unknownData(seen),
      ...verified,
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

function restored(update: Update): Block[] {
  const restore = restoreIn(update);
  if (restore === undefined) return [];
  const { sentence, output } = splitDetail(restore.detail ?? '');
  const text =
    'The new version had changed the data, so the data was restored from the backup of this update. Every service that writes to it had been scaled to 0 since that backup.';
  return [
    { type: 'important', text },
    paragraph(sentence),
    ...(output.length === 0 ? [] : [{ type: 'commands' as const, lines: output }]),
  ];
}

function manualAction(update: Update, seen: Seen): FailureText {
  const { subject, heading, important, repair } = situation(update, seen);
  const name = nameOf(update);
  return {
    subject: `${subject} – manual action required`,
    tone: 'alarm',
    word: 'Manual action required',
    heading,
    opening: [
      { type: 'important', text: `Manual action required: ${important}` },
      paragraph(splitDetail(update.error?.message ?? update.reason).sentence),
      ...trouble(update),
      ...manualChange(update, seen),
      ...section('Look at it first', look(name)),
      ...(repair ? section('Then bring it back', { type: 'commands', lines: back(update) }) : []),
      ...restored(update),
    ],
    labels: { from: 'Previous version', to: 'Planned version' },
  };
}

/** Where the new version runs on, its data is as it should be. */
function manualChange(update: Update, { dataChange = null }: Seen): Block[] {
  const rolledBack = update.steps.some(({ name }) => name === 'rollback');
  return rolledBack ? changedAndNotRestored(update, dataChange) : whatChanged(dataChange);
}

interface Situation {
  subject: string;
  heading: string;
  important: string;
  /** Whether the old image can help. */
  repair: boolean;
}

function situation(update: Update, { leftAtZero = [], replaced = true }: Seen): Situation {
  const name = nameOf(update);
  if (leftAtZero.length > 0) {
    return {
      subject: 'DOWN, its data is only partly restored',
      heading: `The data of ${name} is only partly restored`,
      important: `these services stay at 0 replicas until the data is restored: ${leftAtZero.join(', ')}. docs/swarm.md has the commands.`,
      repair: false,
    };
  }
  if (update.error?.code === 'changed_meanwhile') {
    return {
      subject: 'changed externally during its update',
      heading: `The service ${name} was changed externally during its update`,
      important: `diun-pilot does not undo the change of another client. Check that ${name} works.`,
      repair: false,
    };
  }
  const other = otherSituation(update, replaced);
  return (
    other ?? {
      subject: 'update and rollback failed',
      heading: `The service ${name} is not running its old version in a healthy state`,
      important: `diun-pilot cannot repair ${name} automatically.`,
      repair: true,
    }
  );
}

/** Null unless the service itself works, and another one that was scaled to 0 for its backup does not. */
function otherSituation(update: Update, replaced: boolean): Situation | null {
  const name = nameOf(update);
  const has = (step: StepName): boolean => update.steps.some((each) => each.name === step);
  const heading = `A service that was scaled to 0 for the backup of ${name} is not healthy again`;
  if (!replaced) {
    return {
      subject: 'update aborted, a service scaled to 0 for its backup is not healthy',
      heading,
      important: `the image of ${name} was not changed, but a service that was scaled to 0 for the backup is not healthy.`,
      repair: false,
    };
  }
  if (update.error?.code !== 'other_unhealthy') return null;
  const [subject, version] = has('rollback') ? ['rolled back', 'old'] : ['updated', 'new'];
  return {
    subject: `${subject}, another service is not healthy`,
    heading,
    important: `${name} runs its ${version} version and is healthy, but another service that was scaled to 0 for the backup is not.`,
    repair: false,
  };
}

/** What the last failed step of the way back logged; its sentence is that of the error. */
function trouble(update: Update): Block[] {
  const step = update.steps.findLast(({ name, status }) => status === 'failed' && UNDOING.includes(name));
  return machineSaid(splitDetail(step?.detail ?? '').output);
}

function back({ from, container }: Update): string[] {
  if (from === null) return [];
  const image = from.digest === null ? from.reference : `${from.reference}@${from.digest}`;
  return [shellCommand('docker', 'service', 'update', '--image', image, container ?? '')];
}
