import type { BackupRecord } from '../../domain/backup';
import { splitDetail } from '../letter/clean';
import { machineSaid, paragraph, section, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { shellCommand } from '../letter/shell';
import { utc } from '../letter/words';
import type { RenderedMail } from '../rendered-mail';
import { backupFacts, operatorSection } from './passages';

export interface DrillNews {
  /** With the verdict that failed. */
  backup: BackupRecord;
  /** The newest other one of the set that passed a drill and is still kept; null: there is none. */
  lastPassed: BackupRecord | null;
  publicUrl: string;
}

/** The newest backup of a set could not be restored where nothing but it was at stake. */
export function drillFailed({ backup, lastPassed, publicUrl }: DrillNews): RenderedMail {
  const about = backup.project ?? backup.container ?? 'backup';
  const { sentence, output } = splitDetail(backup.drill?.words ?? 'The reason is not known: look at the log.');
  return renderLetter({
    kind: 'drill_failed',
    updateId: null,
    about,
    subject: `restore drill failed, the backup of ${backup.createdAt.slice(0, 10)} may not be restorable`,
    verdict: { tone: 'alarm', word: 'Restore drill failed' },
    heading: `The newest backup of ${about} did not pass its restore drill`,
    blocks: [
      paragraph(
        'Everything runs as before: a drill restores into a server of its own, which is removed afterwards. But this backup cannot be relied on as it is.',
      ),
      ...section('What went wrong', paragraph(sentence), ...machineSaid(output)),
      ...section('The backup', {
        type: 'facts',
        facts: [...backupFacts(backup), { label: 'Taken', value: utc(backup.createdAt) }],
      }),
      ...lastPassedPassage(lastPassed),
      ...section(
        'What to do now',
        paragraph(
          'Read the set as a restore would, then take a new backup. It is drilled at once, and so is each later one until one passes:',
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
      ? { type: 'important', text: 'No other backup of this set that is still kept has passed a drill.' }
      : { type: 'facts', facts: [...backupFacts(lastPassed), { label: 'Taken', value: utc(lastPassed.createdAt) }] },
  );
}
