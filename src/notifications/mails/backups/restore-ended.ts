import { formatTime } from '../../../domain/format';
import type { RestoreRecord } from '../../../domain/backups/restore';
import type { RenderedMail } from '../../rendered-mail';
import { splitDetail } from '../../letter/clean';
import { list, machineSaid, paragraph, section, type Block } from '../../letter/letter';
import { renderLetter } from '../../letter/render-letter';
import { shellCommand } from '../../letter/shell';
import { operatorSection } from '../passages/passages';

/** The verdict on a requested restore, and what is left to do. */
export function restoreEnded({ restore, publicUrl }: { restore: RestoreRecord; publicUrl: string }): RenderedMail {
  const about = restore.target ?? restore.folder.split('/')[0] ?? 'backup';
  const done = restore.status === 'succeeded';
  const unhealthy = restore.error?.code === 'restore_not_healthy';
  return renderLetter({
    kind: 'restore_ended',
    updateId: restore.updateId,
    about,
    subject: done
      ? 'restored, all containers are healthy'
      : unhealthy
        ? 'RESTORED BUT UNHEALTHY – manual action required'
        : 'restore failed, the previous data is in place – please check',
    verdict: done
      ? { tone: 'good', word: 'Restored' }
      : { tone: 'alarm', word: unhealthy ? 'Unhealthy, manual action required' : 'Restore failed' },
    heading: done
      ? `The data of ${about} is restored`
      : unhealthy
        ? `The data of ${about} is restored, but not every container is healthy`
        : `The restore of ${about} failed`,
    blocks: [
      ...howItEnded(restore),
      ...whatToDo(restore),
      {
        type: 'facts',
        facts: [
          { label: 'Backup', value: restore.url },
          { label: 'Requested', value: formatTime(restore.createdAt) },
        ],
      },
      ...keptPassage(restore),
    ],
    ...operatorSection(publicUrl, 'backups'),
  });
}

/** As text, with the last log lines of the unhealthy container. */
export function howItEnded({ error, detail }: RestoreRecord): Block[] {
  if (error === null) return [paragraph(detail ?? 'The data is restored.')];
  const { sentence, output } = splitDetail(error.message);
  return [paragraph(sentence), ...machineSaid(output)];
}

/** For a restore that did not succeed. */
export function whatToDo({ error, backupId }: RestoreRecord): Block[] {
  if (error === null) return [];
  if (error.code === 'restore_not_healthy') {
    return section(
      'What to do now',
      paragraph('The data is restored, but a container is unhealthy. Find out which one, and why:'),
      { type: 'commands', lines: ['docker ps -a', 'docker logs --tail 100 NAME'] },
    );
  }
  return section('What to do now', paragraph('Fix the cause, verify the backup, and restore again:'), {
    type: 'commands',
    lines: [
      shellCommand('diun-pilot', 'restore', backupId, '--dry-run'),
      shellCommand('diun-pilot', 'restore', backupId),
    ],
  });
}

/** Only the operator removes the previous data. */
export function keptPassage({ kept }: Pick<RestoreRecord, 'kept'>): Block[] {
  if (kept.length === 0) return [];
  return section(
    'The previous data is kept',
    list(kept.map(({ what }) => what)),
    paragraph('When you no longer need it, remove it:'),
    { type: 'commands', lines: kept.map(({ remove }) => remove) },
  );
}
