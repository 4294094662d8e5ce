import type { Deps } from '../deps';
import type { ChannelNotice } from '../domain/channel-notice';
import type { WorkOutcome } from '../domain/due-work';
import { formatTime, plural } from '../domain/format';
import type { OutboxMail } from '../ports/outbox';
import { listBlock, paragraph, section } from './letter/letter';
import { renderLetter } from './letter/render-letter';
import { nameOf } from './mails/passages/passages';
import { postMail } from './post-mail';
import type { RenderedMail } from './rendered-mail';

/** Older notices without a mail of their own are shown on the operator page only: the digest was just switched on. */
const LOOK_BACK_MS = 32 * 86_400_000;
const MOST_ITEMS = 500;

/** Puts one digest into the outbox for everything that waits for it, in one transaction; nothing when nothing waits. */
export function sendDigest({
  store,
  clock,
  publicUrl,
}: Pick<Deps, 'clock' | 'publicUrl' | 'store'>): Promise<WorkOutcome> {
  const since = new Date(clock.now().getTime() - LOOK_BACK_MS).toISOString();
  const reported = store.transaction(() => {
    const waiting = store.outbox.forDigest(since).slice(0, MOST_ITEMS);
    if (waiting.length === 0) return 0;
    const items = waiting.map((mail) => itemOf(store, mail));
    postMail(store.outbox, digest(items, publicUrl));
    store.outbox.digested(waiting.map(({ id }) => id));
    return waiting.length;
  });
  return Promise.resolve({
    outcome: reported === 0 ? 'Nothing to report.' : `Reported in one mail: ${reported}.`,
    trouble: null,
  });
}

/** One line of the digest. `at`: when it happened, for people. */
interface DigestItem {
  at: string;
  notice: Pick<ChannelNotice, 'title'>;
  /** A success with a manual step left: what is left. */
  left?: string | null;
}

const ENDS = /^\[diun-pilot\] | – nothing to do(?: now)?$| – one manual step is left$/g;
const STEP_LEFT = / – one manual step is left$/;
const UNKNOWN_STEP = 'Open the operator page: its update says what is left.';

/** As its mail says it; but an update that failed in its soak since then was rolled back, and its step with it. */
function itemOf({ updates }: Deps['store'], { kind, createdAt, subject, updateId }: OutboxMail): DigestItem {
  const at = formatTime(createdAt);
  const update = updates.get(updateId ?? '');
  if (kind === 'update_succeeded' && update !== null && update.status !== 'succeeded') {
    const title = `${nameOf(update)}: updated, but it failed in its soak since (its own mail has the result)`;
    return { at, notice: { title } };
  }
  const left = update === null ? UNKNOWN_STEP : update.followUp;
  return { at, notice: { title: subject.replace(ENDS, '') }, left: STEP_LEFT.test(subject) ? left : null };
}

/** Everything since the last digest that needed no decision and was no failure. Oldest first; at least one. */
export function digest(items: readonly DigestItem[], page: string): RenderedMail {
  const count = items.length === 1 ? '1 message' : `${items.length} messages`;
  const left = items.flatMap((item) => (item.left ? [`${item.notice.title}: ${item.left}`] : []));
  const mail = renderLetter({
    kind: 'digest',
    updateId: null,
    about: 'digest',
    subject: `${count}, ${left.length === 0 ? 'nothing to do' : `${plural(left.length, 'manual step')} left`}`,
    verdict: { tone: left.length === 0 ? 'good' : 'notice', word: 'Digest' },
    heading: `${count} since the last digest`,
    blocks: [
      paragraph(
        `${left.length === 0 ? 'There is nothing to do. ' : ''}Decisions and failures are mailed at once and are not repeated here.`,
      ),
      ...section('What to do now', listBlock(left)),
      ...section('What happened', listBlock(items.map(({ at, notice }) => `${at}: ${notice.title}`))),
    ],
    page,
    onOperatorPage: true,
  });
  return { ...mail, notice: null };
}
