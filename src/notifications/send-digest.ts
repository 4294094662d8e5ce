import type { Deps } from '../deps';
import type { WorkOutcome } from '../domain/due-work';
import { formatTime } from '../domain/format';
import { digest } from './mails/digest';
import { postMail } from './post-mail';

/** Older notices without a mail of their own are shown on the operator page only: the digest was just switched on. */
const LOOK_BACK_MS = 32 * 86_400_000;
const MOST_ITEMS = 500;

const ENDS = /^\[diun-pilot\] | – nothing to do(?: now)?$| – one manual step is left$/g;
const STEP_LEFT = / – one manual step is left$/;

/** As its mail says it. */
function stepLeft({ updates }: Deps['store'], id: string): string {
  return (
    updates.get(id)?.followUp ?? updates.plan(id)?.followUp ?? 'Open the operator page: its update says what is left.'
  );
}

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
    const items = waiting.map(({ createdAt, subject, updateId }) => ({
      at: formatTime(createdAt),
      notice: { title: subject.replace(ENDS, '') },
      left: STEP_LEFT.test(subject) ? stepLeft(store, updateId ?? '') : null,
    }));
    postMail(store.outbox, digest(items, publicUrl));
    store.outbox.digested(waiting.map(({ id }) => id));
    return waiting.length;
  });
  return Promise.resolve({
    outcome: reported === 0 ? 'Nothing to report.' : `Reported in one mail: ${reported}.`,
    trouble: null,
  });
}
