import { MailError } from '../domain/errors';
import type { Clock } from '../lib/clock';
import { withinTime } from '../lib/within-time';

export type SendOutcome = { sent: true } | { sent: false; error: unknown };

/**
 * Sends, and stops waiting after `limitMs`; never rejects. A transport has its own timeout; this is the safety net, so
 * that a hanging transport cannot delay the next mails. `sentAfterAll` is called when a mail succeeds after the timeout.
 */
export async function sendWithin(
  limitMs: number,
  clock: Clock,
  send: () => Promise<void>,
  sentAfterAll: () => void,
): Promise<SendOutcome> {
  const sending = attempt(send);
  const outcome = await withinTime(
    { clock, ms: limitMs },
    () => sending,
    () => null,
  );
  if (outcome !== null) return outcome;
  void sending.then((end) => {
    if (end.sent) sentAfterAll();
  });
  return { sent: false, error: new MailError('mail_unreachable', tooLate(limitMs), false) };
}

async function attempt(send: () => Promise<void>): Promise<SendOutcome> {
  try {
    await send();
    return { sent: true };
  } catch (error) {
    return { sent: false, error };
  }
}

function tooLate(limitMs: number): string {
  return `No answer within ${limitMs / 1000} s. It is tried again.`;
}
