import type { Surroundings } from '../../../domain/approval';
import { diskProblem } from '../../../domain/disk/df';
import { capitalised, formatBytes, formatDuration, formatTime } from '../../../domain/format';
import { FLAG_WORDS, type NotesSummary } from '../../../domain/notes/release-notes';
import type { Plan } from '../../../domain/plan/plan';
import { isUnderWay, type Rehearsal, type RehearsalEnd, VERDICT_WORDS } from '../../../domain/rehearsal/rehearsal';
import type { Update } from '../../../domain/update';
import { splitDetail } from '../../letter/clean';
import { important, machineSaid, paragraph, section, type Block } from '../../letter/letter';
import type { OfferNews } from './passages';

/** What past updates and backups show about a plan, the same in mail and page. `when` formats a time. */
export function surroundingsPassage(surroundings: Surroundings, plan: Plan, when = formatTime): Block[] {
  return [
    ...section('What will be unavailable', paragraph(absence(surroundings, plan))),
    ...disk(surroundings),
    ...section('The last verified backup', paragraph(lastBackup(surroundings, plan, when))),
  ];
}

/** Without backticks: mail and page mark commands on their own. */
function disk({ disk: free }: Surroundings): Block[] {
  const words = typeof free === 'number' ? diskProblem(free)?.replaceAll('`', '') : undefined;
  return words === undefined ? [] : section('The disk', paragraph(`${capitalised(words)}.`));
}

/** The expected downtime, from past updates. The plan's own sentence about it is the first of its risks. */
function absence({ usualDowntimeSeconds: seconds }: Surroundings, { kind, container }: Plan): string {
  if (seconds === null) {
    return `diun-pilot has not updated ${container} before, so the downtime is not known yet.`;
  }
  const span = seconds < 1 ? 'less than a second' : `about ${formatDuration(seconds * 1000)}`;
  const old = kind === 'service' ? 'old tasks until the new ones were' : 'old container until the new one was';
  return `In past updates ${container} was offline for ${span}, from the stop of the ${old} healthy.`;
}

function lastBackup(
  { lastBackup: last }: Surroundings,
  { kind, backup, project, container }: Plan,
  when: typeof formatTime,
): string {
  const [what, member] = kind === 'service' ? ['stack', 'service'] : ['project', 'container'];
  const of = project === null ? container : `the ${what} ${project}`;
  if (last === null) {
    return backup.length === 0
      ? `There is none: no ${member} of ${of} has a backup.kind label.`
      : `No backup of ${of} exists yet. One is taken before anything is changed.`;
  }
  const read = last.verifiedAt === null ? 'not read back' : 'read back to its end';
  const size = last.bytes === null ? '' : `${formatBytes(last.bytes)}, `;
  return `${when(last.finishedAt ?? last.createdAt)}, ${size}${read}.`;
}

const MOST_VERSIONS = 5;

/** What the release notes say in a sentence, and the link to them; empty: no source of them is known. */
export function notesPassage({ notes = null }: Pick<Update, 'notes'>): Block[] {
  if (notes === null) return [];
  const said = notesSentence(notes);
  return [...(said === '' ? [] : [paragraph(said)]), { type: 'link', label: 'Release notes', url: notes.url }];
}

/** Empty: nothing but the link is known, and nothing is wrong about that. */
export function notesSentence({ versions, flags, problem }: NotesSummary): string {
  const shown = versions.slice(0, MOST_VERSIONS).join(', ');
  const more = versions.length > MOST_VERSIONS ? ` and ${versions.length - MOST_VERSIONS} older` : '';
  const speak = flags.map((flag) => FLAG_WORDS[flag]).join(', ');
  const marked = speak === '' ? '' : ` They mention ${speak}.`;
  const read = versions.length === 0 ? '' : `Release notes of ${shown}${more} were read.${marked}`;
  const unread =
    problem === null
      ? ''
      : `${versions.length === 0 ? 'Release notes were not read' : 'Not all were read'}: ${problem}`;
  return [read, unread].filter((text) => text !== '').join(' ');
}

/** The verdict in one sentence, which a channel's notice shows too. */
export function rehearsalHeadline({ rehearsal }: Pick<OfferNews, 'rehearsal'>): Block[] {
  if (!rehearsal) return [];
  if (isUnderWay(rehearsal)) return [paragraph(NOT_ENDED)];
  const words = headline(rehearsal);
  return [rehearsal.status === 'failed' ? important(words) : paragraph(words)];
}

const NOT_ENDED =
  'The rehearsal on a copy of the data has not ended yet. The page of the update will show its verdict.';

/** What was measured, or the last lines of the log. */
export function rehearsalPassage({ rehearsal, plan }: Pick<OfferNews, 'rehearsal' | 'plan'>): Block[] {
  if (!rehearsal || isUnderWay(rehearsal)) return [];
  const { sentence, output } = splitDetail(rehearsal.detail ?? '');
  const rest = sentence.slice(firstSentence(sentence).length).trim();
  // How a new major is decided on says what is possible.
  const next =
    rehearsal.status === 'failed' && plan?.newMajor === undefined
      ? paragraph('You can still approve the update. If it fails, it is rolled back.')
      : null;
  return section('Rehearsal', rest === '' ? null : paragraph(rest), ...machineSaid(output), next);
}

/** Only what must not be missed. */
export function rehearsalInSubject({ rehearsal }: Pick<OfferNews, 'rehearsal'>): string {
  return rehearsal?.status === 'failed' ? ', its rehearsal failed' : '';
}

function headline({ status, detail }: Rehearsal): string {
  const sentence = firstSentence(splitDetail(detail ?? '').sentence);
  if (status === 'passed') return sentence;
  const word = VERDICT_WORDS[status as RehearsalEnd];
  return status === 'skipped' ? `${word}: ${sentence}` : `Rehearsal ${word.toLowerCase()}. ${sentence}`;
}

/** Up to its first period that a blank follows. */
export function firstSentence(text: string): string {
  const end = text.indexOf('. ');
  return end < 0 ? text : text.slice(0, end + 1);
}
