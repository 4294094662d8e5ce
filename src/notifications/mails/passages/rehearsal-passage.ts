import { isUnderWay, type Rehearsal, type RehearsalEnd, VERDICT_WORDS } from '../../../domain/rehearsal/rehearsal';
import { splitDetail } from '../../letter/clean';
import { machineSaid, paragraph, section, type Block } from '../../letter/letter';
import type { UpdateNews } from './passages';

/** The verdict in one sentence, which a channel's notice shows too. */
export function rehearsalHeadline({ rehearsal }: UpdateNews): Block[] {
  if (!rehearsal) return [];
  if (isUnderWay(rehearsal)) return [paragraph(NOT_ENDED)];
  const words = headline(rehearsal);
  return [rehearsal.status === 'failed' ? { type: 'important', text: words } : paragraph(words)];
}

const NOT_ENDED =
  'The rehearsal on a copy of the data takes longer and has not ended yet. The page of the update shows its verdict.';

/** What was measured, or the last lines of the log. */
export function rehearsalPassage({ rehearsal, plan }: UpdateNews): Block[] {
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
export function rehearsalInSubject({ rehearsal }: UpdateNews): string {
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
