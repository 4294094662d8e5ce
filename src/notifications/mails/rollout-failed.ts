import type { DataChange } from '../../domain/data/data-fingerprint';
import type { StepName, Update } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { machineSaid, paragraph, section, type Block } from '../letter/letter';
import { shellCommand } from '../letter/shell';
import { isDataChanged, whatChanged } from './data-changed';
import type { FailureText, Seen } from './failure-text';
import { isUnhealthyAsBefore } from './special-failures';
import { nameOf } from './passages/passages';

/** The end of a service's update that did not succeed: Swarm replaced its tasks, and no container was kept or started again. */
export function serviceFailed(
  update: Update,
  _backup: unknown,
  { dataChange = null, stopped = [] }: Seen,
): FailureText {
  if (update.status === 'failed') return unchanged(update, stopped);
  if (isUnhealthyAsBefore(update)) return asBefore(update);
  if (update.status === 'rolled_back') return rolledBack(update, dataChange);
  return isDataChanged(update) ? onChangedData(update, dataChange) : manualAction(update);
}

/** The old version runs and is healthy, but the new one changed its data: only the operator can decide. */
function onChangedData(update: Update, dataChange: DataChange | null): FailureText {
  const name = nameOf(update);
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
          'Restore the backup of this update manually: docs/swarm.md has the commands. Data written since the backup is then lost.',
          `Keep the data and move forward: update ${name} to a version that works with it.`,
        ],
      }),
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

/** Swarm runs the old version again, and its health says nothing: there is nothing to bring back. */
function asBefore(update: Update): FailureText {
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
      ...section(
        'If it works',
        paragraph(
          'The health check is wrong. Fix the label update.probe (or the healthcheck) in the stack file, and deploy it.',
        ),
      ),
      ...section('If it does not work', look(name)),
      paragraph('It was already unhealthy before the update, so the cause may be unrelated.'),
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

function rolledBack(update: Update, dataChange: DataChange | null): FailureText {
  const checks: readonly StepName[] = ['rollback_health_check', 'restore_health_check'];
  const check = update.steps.find(({ name, status }) => checks.includes(name) && status === 'succeeded');
  const verified = check?.detail
    ? [paragraph(`Verified after the rollback: ${splitDetail(check.detail).sentence}`)]
    : [];
  return {
    subject: 'rolled back – nothing urgent, the old version is running',
    tone: 'attention',
    word: 'Rolled back',
    heading: `The service ${nameOf(update)} is running its old version again`,
    opening: [
      paragraph('The new version did not work, so the service was rolled back to its old image. Nothing is urgent.'),
      ...restored(update),
      ...whatChanged(dataChange),
      ...verified,
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

function restored({ steps }: Update): Block[] {
  const restore = steps.find(({ name, status }) => name === 'restore' && status === 'succeeded');
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

function manualAction(update: Update): FailureText {
  const name = nameOf(update);
  const changed = update.error?.code === 'changed_meanwhile';
  const other = update.error?.code === 'other_unhealthy' || !update.steps.some((step) => step.name === 'rollout');
  const replaced = update.steps.some((step) => step.name === 'rollout');
  return {
    subject: changed
      ? 'changed by another client during its update – manual action required'
      : 'update and rollback failed – manual action required',
    tone: 'alarm',
    word: 'Manual action required',
    heading: changed
      ? `The service ${name} was changed by another client during its update`
      : other
        ? `A service that was scaled to 0 for the backup of ${name} is not healthy again`
        : `The service ${name} is not running its old version in a healthy state`,
    opening: [
      {
        type: 'important',
        text: changed
          ? `Manual action required: diun-pilot does not undo the change of the other client. Check that ${name} works.`
          : `Manual action required: diun-pilot cannot repair ${name} automatically.`,
      },
      ...(replaced ? trouble(update) : [paragraph(splitDetail(update.error?.message ?? update.reason).sentence)]),
      ...section('Look at it first', look(name)),
      ...(changed || !replaced ? [] : section('Then bring it back', { type: 'commands', lines: back(update) })),
    ],
    labels: { from: 'Previous version', to: 'Planned version' },
  };
}

function trouble(update: Update): Block[] {
  const step = update.steps.findLast(({ name, status }) => status === 'failed' && name.startsWith('rollback'));
  if (!step?.detail) return [];
  const { sentence, output } = splitDetail(step.detail);
  return [paragraph(`Result for the old version: ${sentence}`), ...machineSaid(output)];
}

function back({ from, container }: Update): string[] {
  if (from === null) return [];
  const image = from.digest === null ? from.reference : `${from.reference}@${from.digest}`;
  return [shellCommand('docker', 'service', 'update', '--image', image, container ?? '')];
}
