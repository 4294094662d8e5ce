import { type BackupRecord, takenAt } from '../../domain/backups/backup';
import { formatDuration, formatTime } from '../../domain/format';
import type { Soak, SoakData } from '../../domain/soak/soak';
import type { Update } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { important, listBlock, machineSaid, paragraph, section, type Block } from '../letter/letter';
import { renderLetter } from '../letter/render-letter';
import type { RenderedMail } from '../rendered-mail';
import { backupPassage, lookAtContainer, nameOf, versions, type EndNews } from './passages/passages';

export interface SoakNews extends EndNews {
  soak: Soak;
  /** The data on which the old version can run, the recommended one first. */
  offered: SoakData[];
  /** The old container was removed externally. */
  oldIsGone: boolean;
  /** The signed link on which the operator decides. */
  decideUrl: string;
  now: Date;
}

/**
 * The new version failed after success, and only the operator may decide what becomes of its data. `reminder`: the link expires
 * within a day.
 */
export function soakFailed(news: SoakNews, which: 'first' | 'reminder' = 'first'): RenderedMail {
  const { update, soak, decideUrl, offered, oldIsGone } = news;
  const name = nameOf(update);
  const { output } = splitDetail(soak.failure ?? '');
  const reminds = which === 'reminder';
  const noWayBack = offered.length === 0;
  return renderLetter({
    kind: reminds ? 'approval_reminder' : 'soak_failed',
    updateId: update.id,
    about: name,
    subject: `unhealthy after its update${subjectEnd(reminds, noWayBack)}`,
    verdict: { tone: 'alarm', word: `Unhealthy after the update${noWayBack ? ', manual action required' : ''}` },
    heading:
      reminds && !noWayBack
        ? `Your decision on the failure of ${name} is still pending`
        : `${name} failed during its soak`,
    blocks: [
      important(`${noWayBack ? 'Manual action' : 'Decision'} required: ${soakFailureText(soak)}`),
      ...(noWayBack ? [...schemaText(soak), ...cannotGoBack(news)] : whatToDecide(news)),
      ...(output.length === 0 ? [] : section('What its log says', ...machineSaid(output))),
      ...section(
        'The update',
        versions(update, { from: oldIsGone ? 'Before the update' : 'Kept, stopped', to: 'New version' }),
      ),
      ...backupPassage(news.backup),
    ],
    page: noWayBack ? decideUrl : news.page,
  });
}

function subjectEnd(reminds: boolean, noWayBack: boolean): string {
  if (noWayBack) return ', the old version cannot run again – manual action required';
  return reminds ? ', the link expires soon – please decide' : ' – decide whether the old version runs again';
}

const schemaText = ({ schemaDetail }: Soak): Block[] => (schemaDetail === null ? [] : [paragraph(schemaDetail)]);

function whatToDecide({ update, soak, backup, offered, now, decideUrl }: SoakNews): Block[] {
  const name = nameOf(update);
  const why = soak.holdsData ? `${name} holds data` : `${name} may have been stopped on request`;
  return [
    paragraph(
      `${why}, so diun-pilot does not roll it back automatically. The new version stays in place until you decide.`,
    ),
    paragraph(
      `The link is valid until ${formatTime(soak.decideUntil ?? soak.until)}. Until then, the stopped old container is kept. After that, the new version stays and the old container is removed.`,
    ),
    ...section(
      'What the page offers',
      ...schemaText(soak),
      listBlock([
        ...offered.map((data) => choiceText(data, soak, backup, now)),
        'The new version, as it is now. Nothing is changed.',
      ]),
    ),
    { type: 'link', label: 'Review and decide', url: decideUrl, button: true },
    paragraph('Opening the link changes nothing.'),
  ];
}

function choiceText(data: SoakData, soak: Soak, backup: BackupRecord | null, now: Date): string {
  if (data === 'current') return `The old version ${currentDataText(soak)}`;
  return `The old version with the backup from before the update. ${lossText(backup, now)}`;
}

interface SoakEndedNews extends EndNews {
  /** What Compose and diun-pilot did. */
  words: string;
  runs: boolean;
}

/** `docker compose up -d` put another container in place of both: the soak has ended, and there is no way back. */
export function soakEnded(news: SoakEndedNews): RenderedMail {
  const { update, words, runs } = news;
  const name = nameOf(update);
  return renderLetter({
    kind: 'soak_ended',
    updateId: update.id,
    about: name,
    subject: runs
      ? 're-created by docker compose up during its soak – no rollback is possible'
      : 'does not run after docker compose up – manual action required',
    verdict: runs
      ? { tone: 'attention', word: 'No rollback possible' }
      : { tone: 'alarm', word: 'Not running, manual action required' },
    heading: `The soak of ${name} ended: Compose re-created it`,
    blocks: [
      runs ? paragraph(words) : important(`Manual action required: ${words}`),
      paragraph(
        'Compose removed the old container and the new one. The new version is no longer watched, and diun-pilot can no longer roll this update back.',
      ),
      ...section('Check it', lookAtContainer(name)),
      paragraph(
        'To go back, write the version from before the update into the compose file and run docker compose up -d again.',
      ),
      ...section('The update', versions(update, { from: 'Before the update', to: 'New version' })),
      ...backupPassage(news.backup),
    ],
    page: news.page,
  });
}

/** What happened, as one sentence. */
export function soakFailureText({ failure, container }: Soak): string {
  return splitDetail(failure ?? `${container} failed during its soak.`).sentence;
}

/** How much data, as a span of time, a restore of the backup loses. */
export function lossText(backup: Pick<BackupRecord, 'startedAt' | 'createdAt'> | null, now: Date): string {
  if (backup === null) return '';
  const taken = takenAt(backup);
  const lost = formatDuration(now.getTime() - Date.parse(taken));
  return `The data of the last ${lost} (since ${formatTime(taken)}) is lost to the application; a separate copy of it is kept.`;
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
    ...section('Look at it first', lookAtContainer(name)),
  ];
}
