import type { RestoreRecord } from '../../domain/restore';
import type { RenderedMail } from '../rendered-mail';
import { splitDetail } from '../letter/clean';
import { list, machineSaid, paragraph, section, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { utc } from '../letter/words';
import { route } from './passages';

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
    heading: done ? `The data of ${about} is restored` : `The restore of ${about} did not succeed`,
    blocks: [
      ...howItEnded(restore),
      {
        type: 'facts',
        facts: [
          { label: 'Backup', value: restore.url },
          { label: 'Asked for', value: utc(restore.createdAt) },
        ],
      },
      ...keptPassage(restore),
    ],
    page: route(publicUrl, ''),
  });
}

function howItEnded({ error, detail }: RestoreRecord): Block[] {
  if (error === null) return [paragraph(detail ?? 'The data is restored.')];
  const { sentence, output } = splitDetail(error.message);
  return [paragraph(sentence), ...machineSaid(output)];
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
