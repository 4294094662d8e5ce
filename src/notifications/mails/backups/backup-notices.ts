import { formatBytes, formatDay, formatTime } from '../../../domain/format';
import { titleOfItem, type BackupRecord, takenAt } from '../../../domain/backups/backup';
import { list, paragraph, section, type Block } from '../../letter/letter';
import { renderLetter } from '../../letter/render-letter';
import type { RenderedMail } from '../../rendered-mail';
import { backupFacts, operatorSection } from '../passages/passages';

/** The last good backup of a set is too old, or there never was one. Sent once, and again only after a good one. */
export function backupOld(news: { about: string; lastGood: BackupRecord | null; publicUrl: string }): RenderedMail {
  const { about, lastGood, publicUrl } = news;
  const day = lastGood === null ? null : formatDay(takenAt(lastGood));
  return renderLetter({
    kind: 'backup_old',
    updateId: null,
    about,
    subject:
      day === null
        ? 'no backup has succeeded yet – please check'
        : `the last good backup is from ${day} – please check`,
    verdict: { tone: lastGood === null ? 'alarm' : 'attention', word: 'No new backup' },
    heading: `${about}: ${day === null ? 'no backup has succeeded yet' : `no successful backup since ${day}`}`,
    blocks: [
      paragraph(
        'Everything is running as before. You receive this mail once; it is not repeated until a backup has succeeded.',
      ),
      ...lastGoodPassage(lastGood),
      ...section(
        'What to do now',
        paragraph('Find out why scheduled backups fail or do not run, fix the cause, and take one:'),
        { type: 'commands', lines: ['diun-pilot check', 'diun-pilot backups', 'diun-pilot backup'] },
      ),
    ],
    ...operatorSection(publicUrl, 'backups'),
  });
}

/** A set became suspiciously small: data may be missing where it is taken from. */
export function backupShrunk(news: {
  about: string;
  backup: BackupRecord;
  before: BackupRecord;
  publicUrl: string;
}): RenderedMail {
  const { about, backup, before, publicUrl } = news;
  const sizes = `${formatBytes(before.bytes ?? 0)} before, ${formatBytes(backup.bytes ?? 0)} now`;
  return renderLetter({
    kind: 'backup_shrunk',
    updateId: null,
    about,
    subject: `the backup shrank to less than half: ${sizes} – please check`,
    verdict: { tone: 'attention', word: 'Backup shrank' },
    heading: `The backup of ${about} is less than half of the one before`,
    blocks: [
      paragraph(
        `The backup is complete and was read back, but it is much smaller: ${sizes}. If you did not remove that much data, check it now. For three days, no older backup of this set is removed.`,
      ),
      ...section('What is smaller', list(smaller(backup, before)) ?? paragraph('The same items as before.')),
      ...section('The previous backup', { type: 'facts', facts: backupFacts(before) }),
      ...section(
        'What to do now',
        paragraph(
          'Check that the data is where backup.paths and the database settings point, then take a backup again:',
        ),
        { type: 'commands', lines: ['diun-pilot check', 'diun-pilot backup'] },
      ),
    ],
    ...operatorSection(publicUrl, 'backups'),
  });
}

function lastGoodPassage(lastGood: BackupRecord | null): Block[] {
  if (lastGood === null)
    return section('The last good backup', { type: 'important', text: 'There is none: nothing can be restored.' });
  const of = { label: 'Taken', value: formatTime(takenAt(lastGood)) };
  return section('The last good backup', { type: 'facts', facts: [...backupFacts(lastGood), of] });
}

function smaller(backup: BackupRecord, before: BackupRecord): string[] {
  return before.items.flatMap((item) => {
    const now = backup.items.find(
      ({ container, kind, name }) => container === item.container && kind === item.kind && name === item.name,
    );
    if (now !== undefined && now.bytes * 2 >= item.bytes) return [];
    return [
      `${titleOfItem(item)}: ${formatBytes(item.bytes)} before, ${now === undefined ? 'missing' : formatBytes(now.bytes)} now`,
    ];
  });
}
