import { formatDuration, formatTime } from '../../../domain/format';
import { type BackupRecord, takenAt } from '../../../domain/backups/backup';
import type { Soak } from '../../../domain/soak/soak';
import type { Update } from '../../../domain/update';
import { splitDetail } from '../../letter/clean';
import { paragraph, section, type Block, shellCommand } from '../../letter/letter';
import { nameOf } from './passages';

/** What happened, as one sentence. */
export function soakFailureText({ failure, container }: Soak): string {
  return splitDetail(failure ?? `${container} failed during its soak.`).sentence;
}

/** How much data, as a span of time, a restore of the backup loses. */
export function lossText(backup: Pick<BackupRecord, 'startedAt' | 'createdAt'> | null, now: Date): string {
  if (backup === null) return '';
  const taken = takenAt(backup);
  const lost = formatDuration(now.getTime() - Date.parse(taken));
  return `The data of the last ${lost} (since ${formatTime(taken)}) is lost to the application; it is kept in a separate copy.`;
}

/** What running the old version on the current data may lead to. */
export function currentDataText({ schema }: Soak): string {
  const risk =
    schema === 'unchanged'
      ? ''
      : ' It is not known whether the new version changed the data in a way that the old one cannot read.';
  return `with the current data: no data is lost.${risk}`;
}

/** Why the old version is not offered. */
function nothingOfferedText(oldIsGone: boolean): string {
  return oldIsGone
    ? 'The old container was removed externally, so the old version cannot be offered.'
    : 'No verified backup from before the update is left, so the old version cannot be offered.';
}

/** Neither an old version nor data to offer: the operator repairs the new version. The same in mail and page. */
export function cannotGoBack({ update, oldIsGone }: { update: Update; oldIsGone: boolean }): Block[] {
  const name = nameOf(update);
  return [
    paragraph(`${nothingOfferedText(oldIsGone)} The new version stays in place.`),
    ...section('What to do now', paragraph('Fix the cause in the new version, or update to a version that works.')),
    ...section('Look at it first', {
      type: 'commands',
      lines: [
        shellCommand('docker', 'ps', '-a', '--filter', `name=${name}`),
        shellCommand('docker', 'logs', '--tail', '100', name),
      ],
    }),
  ];
}
