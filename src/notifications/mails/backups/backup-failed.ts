import { scopeName } from '../../../domain/backups/backup-place';
import { formatDay, formatTime } from '../../../domain/format';
import { type BackupRecord, takenAt } from '../../../domain/backups/backup';
import type { RenderedMail } from '../../rendered-mail';
import { splitDetail } from '../../letter/clean';
import { machineSaid, paragraph, section, type Block } from '../../letter/letter';
import { renderLetter } from '../../letter/render-letter';
import { backupFacts, operatorSection } from '../passages/passages';

export interface BackupNews {
  backup: BackupRecord;
  /** The newest one that succeeded for the same set; null: there is none. */
  lastGood: BackupRecord | null;
  publicUrl: string;
}

export function backupFailed(news: BackupNews): RenderedMail {
  const { backup, lastGood } = news;
  const about = scopeName(backup);
  return renderLetter({
    kind: 'backup_failed',
    updateId: backup.updateId,
    about,
    subject: `backup failed, ${lastGood === null ? 'no good backup exists' : `last good backup: ${day(lastGood)}`} – please check`,
    verdict: { tone: lastGood === null ? 'alarm' : 'attention', word: 'Backup failed' },
    heading: `The backup of ${about} failed`,
    blocks: [
      paragraph(`Everything is running as before, but there is no new backup.${origin(backup)}`),
      ...whatWentWrong(backup),
      ...lastGoodPassage(lastGood),
      ...whatToDo(backup),
    ],
    ...operatorSection(news.publicUrl, 'backups'),
  });
}

function origin(backup: BackupRecord): string {
  const origins: Record<BackupRecord['reason'], string> = {
    schedule: ' It was the scheduled backup; the next one runs at its usual time.',
    operator: ' An operator requested it; it is not retried automatically.',
    update: ' It was taken for an update, which was aborted.',
  };
  return origins[backup.reason];
}

function whatWentWrong(backup: BackupRecord): Block[] {
  const { sentence, output } = splitDetail(
    backup.error?.message ?? 'The reason is unknown: see the log of diun-pilot.',
  );
  const started = takenAt(backup);
  return section('What went wrong', paragraph(sentence), ...machineSaid(output), {
    type: 'facts',
    facts: [
      { label: 'Backup', value: backup.id },
      { label: 'Started', value: formatTime(started) },
      ...(backup.error === null ? [] : [{ label: 'Error', value: backup.error.code }]),
    ],
  });
}

function lastGoodPassage(lastGood: BackupRecord | null): Block[] {
  return section(
    'The last good backup',
    lastGood === null
      ? {
          type: 'important',
          text: 'There is none: nothing can be restored. No update of this set runs without a good backup.',
        }
      : { type: 'facts', facts: [...backupFacts(lastGood), { label: 'Taken', value: formatTime(takenAt(lastGood)) }] },
  );
}

function whatToDo(backup: BackupRecord): Block[] {
  return section(
    'What to do now',
    paragraph('Check what diun-pilot can reach, fix the cause, and take the backup again:'),
    { type: 'commands', lines: ['diun-pilot check', 'diun-pilot backup'] },
    backup.reason === 'update' ? paragraph('Then request the update again.') : null,
  );
}

function day(backup: BackupRecord): string {
  return formatDay(takenAt(backup));
}
