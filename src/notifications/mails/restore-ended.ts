import type { RestoreRecord } from '../../domain/restore';
import type { RenderedMail } from '../rendered-mail';
import { splitDetail } from '../letter/clean';
import { list, machineSaid, paragraph, section, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { shellCommand } from '../letter/shell';
import { utc } from '../letter/words';
import { operatorSection } from './passages';

/** How a restore that somebody asked for has ended, and what is left to do. */
export function restoreEnded({ restore, publicUrl }: { restore: RestoreRecord; publicUrl: string }): RenderedMail {
  const about = restore.target ?? restore.folder.split('/')[0] ?? 'backup';
  const done = restore.status === 'succeeded';
  const ill = restore.error?.code === 'restore_not_healthy';
  return renderLetter({
    kind: 'restore_ended',
    updateId: restore.updateId,
    about,
    subject: done
      ? 'restored, all is healthy'
      : ill
        ? 'RESTORED BUT NOT HEALTHY, act now'
        : 'restore failed, the backup was not put in place',
    verdict: done
      ? { tone: 'good', word: 'Restored' }
      : { tone: 'alarm', word: ill ? 'Not healthy, act now' : 'Restore failed' },
    heading: done
      ? `The data of ${about} is restored`
      : ill
        ? `The data of ${about} is restored, but not everything is healthy with it`
        : `The restore of ${about} did not succeed`,
    blocks: [
      ...howItEnded(restore),
      ...whatToDo(restore),
      {
        type: 'facts',
        facts: [
          { label: 'Backup', value: restore.url },
          { label: 'Asked for', value: utc(restore.createdAt) },
        ],
      },
      ...keptPassage(restore),
    ],
    ...operatorSection(publicUrl, 'backups'),
  });
}

/** In words, with the last lines of whoever does not serve. */
export function howItEnded({ error, detail }: RestoreRecord): Block[] {
  if (error === null) return [paragraph(detail ?? 'The data is restored.')];
  const { sentence, output } = splitDetail(error.message);
  return [paragraph(sentence), ...machineSaid(output)];
}

/** Of one that did not succeed. */
export function whatToDo({ error, backupId }: RestoreRecord): Block[] {
  if (error === null) return [];
  if (error.code === 'restore_not_healthy') {
    return section(
      'What to do now',
      paragraph('The data is in its place, but a container does not serve with it. See which one, and why:'),
      { type: 'commands', lines: ['docker ps -a', 'docker logs --tail 100 NAME'] },
    );
  }
  return section('What to do now', paragraph('Mend the cause, see whether the backup would fit, and restore again:'), {
    type: 'commands',
    lines: [
      shellCommand('diun-pilot', 'restore', backupId, '--dry-run'),
      shellCommand('diun-pilot', 'restore', backupId),
    ],
  });
}

/** What was there before is the reader's to remove. */
export function keptPassage({ kept }: Pick<RestoreRecord, 'kept'>): Block[] {
  if (kept.length === 0) return [];
  return section(
    'What was there before is kept',
    list(kept.map(({ what }) => what)),
    paragraph('Once you are sure that you do not need it, remove it:'),
    { type: 'commands', lines: kept.map(({ remove }) => remove) },
  );
}
