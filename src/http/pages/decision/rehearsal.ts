import { formatDuration } from '../../../domain/format';
import {
  isUnderWay,
  VERDICT_WORDS,
  whyOutdated,
  type Rehearsal,
  type RehearsalEnd,
} from '../../../domain/rehearsal/rehearsal';
import { splitDetail } from '../../../notifications/letter/clean';
import { machineSaid, paragraph, section, type Block } from '../../../notifications/letter/letter';

const IN_SHORT: Record<RehearsalEnd, string> = {
  passed: 'on a copy of the data the new version became healthy',
  failed: 'on a copy of the data the new version did not become healthy, the current one did',
  inconclusive: 'the current version does not run on its own either, so this says nothing',
  skipped: 'the details have the reason',
};

/** The verdict in one sentence, and whether it still holds for the digest that is offered. */
export function rehearsalInShort(rehearsal: Rehearsal, offered: string | null, now: Date): string {
  const outdated = isUnderWay(rehearsal) ? null : whyOutdated(rehearsal, offered, now);
  return [verdictOf(rehearsal), outdated].filter((part) => part !== null).join(' ');
}

function verdictOf(rehearsal: Rehearsal): string {
  if (isUnderWay(rehearsal)) return 'Not ended yet: reload the page for the verdict.';
  const end = rehearsal.status as RehearsalEnd;
  const after = rehearsal.seconds === null ? '' : ` after ${formatDuration(rehearsal.seconds * 1000)}`;
  return `${VERDICT_WORDS[end]}: ${IN_SHORT[end]}${after}.`;
}

/** Everything that was measured, and the last lines of the log. */
export function rehearsalDetails(rehearsal: Rehearsal | null | undefined): Block[] {
  if (!rehearsal?.detail) return [];
  const { sentence, output } = splitDetail(rehearsal.detail);
  return section('Rehearsal', paragraph(sentence), ...machineSaid(output));
}
