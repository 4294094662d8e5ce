import type { JSX } from 'preact';
import { formatDuration } from '../../../domain/format';
import {
  isUnderWay,
  type Rehearsal,
  type RehearsalEnd,
  VERDICT_WORDS,
  whyOutdated,
} from '../../../domain/rehearsal/rehearsal';
import type { Update } from '../../../domain/update';
import { oneLine, splitDetail } from '../../../notifications/letter/clean';
import { type Block, machineSaid, paragraph, section } from '../../../notifications/letter/letter';
import { firstSentence } from '../../../notifications/mails/passages/surroundings';
import { typeset } from '../blocks';

export const REHEARSE_AGAIN = 'Rehearse again';

/** Whether the operator may request another one: the update has not started, and no rehearsal of it is under way. */
export function mayRehearseAgain({ status }: Pick<Update, 'status'>, rehearsal: Rehearsal | null | undefined): boolean {
  const waits = status === 'awaiting_approval' || status === 'queued';
  return waits && rehearsal !== null && rehearsal !== undefined && !isUnderWay(rehearsal);
}

/** Behind the link of the mail: posts to the address of the page. It decides nothing, so the link stays open. */
export function RehearseByLink({ container }: { container: string | null }): JSX.Element {
  return (
    <form method="post" class="again">
      <button name="rehearse" value="again">
        {REHEARSE_AGAIN}
        <span class="unseen"> the update of {oneLine(container ?? '')}</span>
      </button>
    </form>
  );
}

/** On the operator's page of one update, which is also where it leads back to. */
function RehearseByPage({ update, formToken }: { update: Update; formToken: string }): JSX.Element {
  return (
    <form method="post" action="../actions/rehearse" class="again">
      <input type="hidden" name="id" value={update.id} />
      <input type="hidden" name="form" value={formToken} />
      <input type="hidden" name="back" value="update" />
      <button>{REHEARSE_AGAIN}</button>
    </form>
  );
}

interface Props {
  update: Update;
  rehearsal: Rehearsal | null | undefined;
  now: Date;
  again: RehearseButton;
}

/** `link`: the page of the mail's link; with a form token: the operator's page. Null: this reader may not request one. */
export type RehearseButton = 'link' | { formToken: string } | null;

/** The verdict on the page of an update that has not started. */
export function RehearsalOf({ update, rehearsal, now, again }: Props): JSX.Element | null {
  const waits = update.status === 'awaiting_approval' || update.status === 'queued';
  if (!waits || !rehearsal) return null;
  return (
    <section aria-labelledby="rehearsal">
      <h2 id="rehearsal">Rehearsal</h2>
      <p>{typeset(rehearsalInShort(rehearsal, update.to.digest, now))}</p>
      {mayRehearseAgain(update, rehearsal) ? <Button update={update} again={again} /> : null}
    </section>
  );
}

function Button({ update, again }: Pick<Props, 'update' | 'again'>): JSX.Element | null {
  if (again === null) return null;
  if (again === 'link') return <RehearseByLink container={update.container} />;
  return <RehearseByPage update={update} formToken={again.formToken} />;
}

const IN_SHORT: Record<Exclude<RehearsalEnd, 'skipped'>, string> = {
  passed: 'on a copy of the data, the new version became healthy',
  failed: 'on a copy of the data, the new version did not become healthy, but the current one did',
  inconclusive:
    'the current version does not become healthy in isolation either, so this says nothing about the new one',
};

/** The verdict in one sentence, and whether it still holds for the digest that is offered. */
export function rehearsalInShort(rehearsal: Rehearsal, offered: string | null, now: Date): string {
  const outdated = isUnderWay(rehearsal) ? null : whyOutdated(rehearsal, offered, now);
  return [verdictOf(rehearsal), outdated].filter((part) => part !== null).join(' ');
}

function verdictOf(rehearsal: Rehearsal): string {
  if (isUnderWay(rehearsal)) return 'Not ended yet: reload the page for the verdict.';
  const end = rehearsal.status as RehearsalEnd;
  if (end === 'skipped') return `${VERDICT_WORDS[end]}: ${firstSentence(splitDetail(rehearsal.detail ?? '').sentence)}`;
  const after = rehearsal.seconds === null ? '' : ` after ${formatDuration(rehearsal.seconds * 1000)}`;
  return `${VERDICT_WORDS[end]}: ${IN_SHORT[end]}${after}.`;
}

/** Everything that was measured, and the last lines of the log. */
export function rehearsalDetails(rehearsal: Rehearsal | null | undefined): Block[] {
  if (!rehearsal?.detail) return [];
  const { sentence, output } = splitDetail(rehearsal.detail);
  return section('Rehearsal', paragraph(sentence), ...machineSaid(output));
}
