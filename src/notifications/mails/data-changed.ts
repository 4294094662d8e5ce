import type { DataChange } from '../../domain/data-fingerprint';
import { unknownChange } from '../../domain/data-change-words';
import type { Update } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { paragraph, section, type Block } from '../letter/letter';
import { shellCommand } from '../letter/shell';
import type { BackupRecord } from '../../domain/backup';
import type { FailureText } from './failure-text';
import { nameOf } from './passages';

export const isDataChanged = ({ error, status }: Update): boolean =>
  error?.code === 'data_changed' && status === 'rollback_failed';

/** The old version runs and is healthy, but the data is no longer the one that it was made for: only a person can decide. */
export function dataChanged(
  update: Update,
  backup: Pick<BackupRecord, 'id' | 'status'> | null,
  change: DataChange | null,
): FailureText {
  const name = nameOf(update);
  const { sentence } = splitDetail(update.error?.message ?? update.reason);
  return {
    subject: 'rolled back, but its data is that of the new version – decide about a restore',
    tone: 'alarm',
    word: 'Rolled back, data not',
    heading: `${name} runs its old version on data that the new version changed`,
    opening: [
      {
        type: 'important',
        text: `Decision required: the old version of ${name} is healthy, but it was not made for this data. It may fail later or damage it.`,
      },
      ...whatChanged(change),
      paragraph(sentence),
      ...section(
        'What you can do',
        {
          type: 'list',
          items: [
            'Restore the backup of this update: the data is then as before it. What was written since the backup is kept apart, but no longer in use.',
            `Keep the data and go forward: update ${name} to a version that works with it.`,
          ],
        },
        ...(backup?.status === 'succeeded'
          ? [{ type: 'commands' as const, lines: [shellCommand('diun-pilot', 'restore', backup.id)] }]
          : []),
      ),
    ],
    labels: { from: 'Runs again', to: 'Was to run' },
  };
}

/** Exactly what differs, one line for each database; empty where nothing does. */
export function whatChanged(change: DataChange | null): Block[] {
  if (change === null) return [];
  const unknown = unknownChange(change);
  return [
    ...(change.changes.length === 0
      ? []
      : section('What the new version changed in the data', { type: 'list', items: change.changes })),
    ...(unknown === null ? [] : [paragraph(unknown)]),
  ];
}
