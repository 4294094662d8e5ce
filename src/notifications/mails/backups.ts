import { type BackupRecord, scopeName, takenAt, titleOfItem } from '../../domain/backups/backup';
import { formatBytes, formatDay, formatTime } from '../../domain/format';
import { splitDetail } from '../letter/clean';
import { type Block, important, listBlock, machineSaid, paragraph, section, shellCommand } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import type { RenderedMail } from '../rendered-mail';
import { backupFacts, operatorSection } from './passages/passages';

interface BackupNews {
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
    subject: `backup failed, ${lastGood === null ? 'no good backup exists' : `last good backup: ${formatDay(takenAt(lastGood))}`} – please check`,
    verdict: { tone: lastGood === null ? 'alarm' : 'attention', word: 'Backup failed' },
    heading: `The backup of ${about} failed`,
    blocks: [
      paragraph(`Everything is running as before, but there is no new backup.${origin(backup)}`),
      ...whatWentWrong(backup),
      ...takenPassage(
        'The last good backup',
        lastGood,
        'No good backup exists, so nothing can be restored. No update of this set runs until a backup succeeds.',
      ),
      ...howToRetryBackup(backup),
    ],
    ...operatorSection(news.publicUrl, 'backups'),
  });
}

function origin(backup: BackupRecord): string {
  const origins: Record<BackupRecord['reason'], string> = {
    schedule: ' This was the scheduled backup; the next one runs at its usual time.',
    operator: ' An operator requested this backup; it is not retried automatically.',
    update: ' This backup was for an update, which was aborted.',
  };
  return origins[backup.reason];
}

function whatWentWrong(backup: BackupRecord): Block[] {
  const { sentence, output } = splitDetail(
    backup.error?.message ?? 'The reason is unknown: see the log of diun-pilot.',
  );
  return section('What went wrong', paragraph(sentence), ...machineSaid(output), {
    type: 'facts',
    facts: [
      { label: 'Backup', value: backup.id },
      { label: 'Started', value: formatTime(takenAt(backup)) },
      ...(backup.error === null ? [] : [{ label: 'Error', value: backup.error.code }]),
    ],
  });
}

function howToRetryBackup(backup: BackupRecord): Block[] {
  return section(
    'What to do now',
    paragraph('Check what diun-pilot can reach, fix the cause, and take the backup again:'),
    { type: 'commands', lines: ['diun-pilot check', 'diun-pilot backup'] },
    backup.reason === 'update' ? paragraph('Then request the update again.') : null,
  );
}

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
        `Everything is running as before, but there is no ${day === null ? '' : 'recent '}backup. diun-pilot sends this mail only once.`,
      ),
      ...takenPassage('The last good backup', lastGood, 'No good backup exists, so nothing can be restored.'),
      ...section(
        'What to do now',
        paragraph('Find out why scheduled backups fail or do not run, fix the cause, and take a backup:'),
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
        `The backup is complete and was read back, but it is much smaller: ${sizes}. If you did not remove that much data, check now whether data is missing. For three days, diun-pilot removes no older backup of this set.`,
      ),
      ...section(
        'What is smaller',
        listBlock(smaller(backup, before)) ?? paragraph('No single item shrank to less than half.'),
      ),
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

interface DrillNews {
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
      ...section('The backup', takenFacts(backup)),
      ...takenPassage(
        'The last backup that passed a drill',
        lastPassed,
        'No other retained backup of this set has passed a drill.',
      ),
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

/** `none`: the text where there is no such backup. */
function takenPassage(heading: string, backup: BackupRecord | null, none: string): Block[] {
  return section(heading, backup === null ? important(none) : takenFacts(backup));
}

function takenFacts(backup: BackupRecord): Block {
  return { type: 'facts', facts: [...backupFacts(backup), { label: 'Taken', value: formatTime(takenAt(backup)) }] };
}
