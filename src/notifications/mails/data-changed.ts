import type { DataChange } from '../../domain/data/data-fingerprint';
import { hasChanged, unknownChange } from '../../domain/data/compare-fingerprints';
import { restoreIn, type Update } from '../../domain/update';
import { important, paragraph, section, shellCommand, type Block } from '../letter/letter';
import { titleOf, type FailureText, type TakenBackup } from './failure-text';
import { errorOf, nameOf } from './passages/passages';

export const isDataChanged = ({ error, status }: Update): boolean =>
  error?.code === 'data_changed' && status === 'rollback_failed';

/** The data was restored, and a database is left that no backup has: only the operator knows who uses it. */
export function databaseLeft(update: Update): FailureText {
  const name = nameOf(update);
  return {
    subject: 'rolled back, but a new database is still there – please check',
    tone: 'alarm',
    word: 'Rolled back, new database left',
    heading: `${name} is running its old version on the restored data, next to a new database`,
    opening: [
      important('Manual action required: look at the new database before you request the update again.'),
      paragraph(errorOf(update).sentence),
      ...section('What you can do', {
        type: 'list',
        items: [
          `If only the failed version of ${name} uses it: drop it (DROP DATABASE). The next start of that version may fail on a half-made database.`,
          'If another application uses it: keep it. From now on, backups contain it.',
        ],
      }),
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

/**
 * The old version is running and healthy, but on the data of the new one, which changed it; or the operator chose the backup,
 * and it could not be restored. Only the operator can decide.
 */
export function dataChanged(update: Update, backup: TakenBackup, change: DataChange | null): FailureText {
  const name = nameOf(update);
  const { sentence } = errorOf(update);
  // The operator chooses the backup of containers only.
  const isKnown = update.kind === 'service' || hasChanged(change);
  return {
    subject: isKnown
      ? 'rolled back, but the new version changed its data – decide about a restore'
      : 'rolled back, but its data was not restored – decide about a restore',
    tone: 'alarm',
    word: isKnown ? 'Rolled back, data changed' : 'Rolled back, data not restored',
    heading: isKnown
      ? `${titleOf(update)} is running its old version on data that the new version changed`
      : `${name} is running its old version on the data of the new version`,
    opening: [
      important(
        isKnown
          ? `Decision required: the old version of ${name} is healthy, but it was not made for this data: it may fail later, or damage the data.`
          : `Decision required: the old version of ${name} is healthy, but the backup that you chose was not restored.`,
      ),
      ...dataChangeBlocks(change),
      paragraph(sentence),
      ...section(
        'What you can do',
        {
          type: 'list',
          items: [
            howToRestore(update, backup),
            `Keep the data and move forward: update ${name} to a version that works with it.`,
          ],
        },
        ...(update.kind !== 'service' && backup?.status === 'succeeded'
          ? [{ type: 'commands' as const, lines: [shellCommand('diun-pilot', 'restore', backup.id)] }]
          : []),
      ),
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

function howToRestore({ kind }: Update, backup: TakenBackup): string {
  if (kind !== 'service')
    return 'Restore the backup of this update: the data is then as it was before the update. Data written since the backup is kept in a separate copy.';
  const from = backup?.url ? ` from ${backup.url}` : '';
  return `Restore the backup of this update manually${from}: docs/swarm.md has the commands. Data written since the backup is then lost.`;
}

/** The same where something else is the news: the old version, and what shares its data, runs on what the new one made of it. */
export function changedAndNotRestored(update: Update, change: DataChange | null): Block[] {
  if (restoreIn(update) !== undefined) return [];
  return [...dataChangeBlocks(change), ...(hasChanged(change) ? [paragraph(NOT_RESTORED)] : [])];
}

const NOT_RESTORED =
  'The data was not restored. If a container fails because of the changed data, a restart does not help. Decide whether to restore the backup of this update.';

/** The exact differences, one line for each database, and what could not be read; empty without any. */
export function dataChangeBlocks(change: DataChange | null): Block[] {
  const unknown = change === null ? null : unknownChange(change);
  return [...changesIn(change), ...(unknown === null ? [] : [paragraph(unknown)])];
}

/** Only the differences. */
export function changesIn(change: DataChange | null): Block[] {
  if (change === null || change.changes.length === 0) return [];
  return section('What the new version changed in the data', { type: 'list', items: change.changes });
}
