import { formatTime } from '../../domain/format';
import { restoreCommandLine, type LeftBy, type RestoreRecord } from '../../domain/backups/restore';
import type { RenderedMail } from '../rendered-mail';
import { splitDetail } from '../letter/clean';
import { listBlock, machineSaid, paragraph, section, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import { LOOK_AT_ANY, operatorSection } from './passages/passages';

interface EndedNews {
  restore: RestoreRecord;
  left: LeftBy;
  /** Left out or true: each container that uses the data was seen healthy. */
  allJudged?: boolean;
  publicUrl: string;
}

/** The verdict on a requested restore, and what is left to do. */
export function restoreEnded({ restore, left, allJudged = true, publicUrl }: EndedNews): RenderedMail {
  const about = restore.target ?? restore.folder.split('/')[0] ?? 'backup';
  const done = restore.status === 'succeeded';
  return renderLetter({
    kind: 'restore_ended',
    updateId: restore.updateId,
    about,
    subject: done ? restoredSubject(allJudged) : FAILED[left].subject,
    verdict: done
      ? { tone: allJudged ? 'good' : 'attention', word: 'Restored' }
      : { tone: 'alarm', word: FAILED[left].word },
    heading: done ? `The data of ${about} is restored` : FAILED[left].heading(about),
    blocks: [
      ...howRestoreEnded(restore),
      ...(done && !allJudged
        ? section('What to do now', paragraph('Check the containers that use the data:'), LOOK_AT_ANY)
        : []),
      ...whatToDoAfterRestore(restore, left),
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

function restoredSubject(allJudged: boolean): string {
  return allJudged
    ? 'restored, all containers are healthy'
    : 'restored, but the health of some containers is not known – please check';
}

const FAILED: Record<LeftBy, { subject: string; word: string; heading: (about: string) => string }> = {
  restored: {
    subject: 'RESTORED BUT UNHEALTHY – manual action required',
    word: 'Unhealthy, manual action required',
    heading: (about) => `The data of ${about} is restored, but not every container is healthy`,
  },
  'all as before': {
    subject: 'restore failed, the previous data is in place – please check',
    word: 'Restore failed',
    heading: inPlace,
  },
  'data as before': {
    subject: 'restore failed, the previous data is in place, but a container is not healthy – manual action required',
    word: 'Restore failed, manual action required',
    heading: inPlace,
  },
  half: {
    subject: 'DOWN, restore failed, the previous data could not be put back – manual action required',
    word: 'Down, manual action required',
    heading: (about) => `The restore failed, and the data of ${about} is only partly restored`,
  },
};

function inPlace(about: string): string {
  return `The restore of ${about} failed, and the previous data is in place`;
}

/** As text, with the last log lines of the unhealthy container. */
export function howRestoreEnded({ error, detail }: RestoreRecord): Block[] {
  if (error === null) return [paragraph(detail ?? 'The data is restored.')];
  const { sentence, output } = splitDetail(error.message);
  return [paragraph(sentence), ...machineSaid(output)];
}

/** For a restore that did not succeed. */
export function whatToDoAfterRestore(
  { error, backupId, target, trustedManifest }: RestoreRecord,
  left: LeftBy,
): Block[] {
  if (error === null) return [];
  if (left === 'restored') {
    return section(
      'What to do now',
      paragraph('The data is restored, but a container is unhealthy. Find out which one, and why:'),
      LOOK_AT_ANY,
    );
  }
  const again = restoreCommandLine({ backup: backupId, project: target, trust: trustedManifest !== null });
  const first = left === 'data as before' ? section('Look at it first', LOOK_AT_ANY) : [];
  return [
    ...first,
    ...section('What to do now', paragraph(left === 'half' ? HALF : AGAIN), {
      type: 'commands',
      lines: [`${again} --dry-run`, again],
    }),
  ];
}

const AGAIN = 'Fix the cause, verify the backup, and restore again:';
const HALF =
  'Do not start the stopped containers: part of the data is from the backup, and part is not. Fix the cause, then restore again:';

/** Only the operator removes the previous data. */
export function keptPassage({ kept }: Pick<RestoreRecord, 'kept'>): Block[] {
  if (kept.length === 0) return [];
  return section(
    'The previous data is kept',
    listBlock(kept.map(({ what }) => what)),
    paragraph('Remove it when you no longer need it:'),
    { type: 'commands', lines: kept.map(({ remove }) => remove) },
  );
}
