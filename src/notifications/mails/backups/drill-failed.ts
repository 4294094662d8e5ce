import { scopeName } from '../../../domain/backups/backup-place';
import { formatDay, formatTime } from '../../../domain/format';
import { type BackupRecord, takenAt } from '../../../domain/backups/backup';
import { splitDetail } from '../../letter/clean';
import { machineSaid, paragraph, section, type Block, shellCommand } from '../../letter/letter';
import { renderLetter } from '../../letter/render-letter';
import type { RenderedMail } from '../../rendered-mail';
import { backupFacts, operatorSection } from '../passages/passages';

export interface DrillNews {
  /** With the verdict that failed. */
  backup: BackupRecord;
  /** The newest other one of the set that passed a drill and is still kept; null: there is none. */
  lastPassed: BackupRecord | null;
  publicUrl: string;
}

/** The newest backup of a set could not be restored in a drill. */
export function drillFailed({ backup, lastPassed, publicUrl }: DrillNews): RenderedMail {
  const about = scopeName(backup);
  const { sentence, output } = splitDetail(backup.drill?.words ?? 'The reason is unknown: see the log.');
  return renderLetter({
    kind: 'drill_failed',
    updateId: null,
    about,
    subject: `restore drill failed, the backup of ${formatDay(takenAt(backup))} may not be restorable – please check`,
    verdict: { tone: 'alarm', word: 'Restore drill failed' },
    heading: `The newest backup of ${about} failed its restore drill`,
    blocks: [
      paragraph(
        'Do not rely on this backup. Everything is running as before: a drill restores into a temporary server, which is removed afterwards.',
      ),
      ...section('What went wrong', paragraph(sentence), ...machineSaid(output)),
      ...section('The backup', {
        type: 'facts',
        facts: [...backupFacts(backup), { label: 'Taken', value: formatTime(takenAt(backup)) }],
      }),
      ...lastPassedPassage(lastPassed),
      ...section(
        'What to do now',
        paragraph(
          'Check the backup as a restore would, then take a new one. Until a drill passes, each new backup is drilled at once.',
        ),
        {
          type: 'commands',
          lines: [
            shellCommand('diun-pilot', 'restore', backup.id, '--dry-run'),
            shellCommand('diun-pilot', 'backup', ...(backup.project === null ? [] : ['--project', backup.project])),
          ],
        },
      ),
    ],
    ...operatorSection(publicUrl, 'backups'),
  });
}

function lastPassedPassage(lastPassed: BackupRecord | null): Block[] {
  return section(
    'The last one that passed',
    lastPassed === null
      ? { type: 'important', text: 'No other retained backup of this set has passed a drill.' }
      : {
          type: 'facts',
          facts: [...backupFacts(lastPassed), { label: 'Taken', value: formatTime(takenAt(lastPassed)) }],
        },
  );
}
