import { nextOpening, readWindow } from '../../../domain/decision/update-window';
import { formatMinute, localTimeZone } from '../../../domain/format';
import type { Plan } from '../../../domain/plan/plan';

/** The button that approves for the next update window, with its time; null: there is none, or it is open now, which is that time. */
export function nextWindowText({ window: text }: Pick<Plan, 'window'>, now: Date): string | null {
  const window = text ? readWindow(text) : null;
  if (window === null || 'problem' in window) return null;
  const opening = nextOpening(window, now, localTimeZone());
  return opening <= now ? null : `Approve for the next window (${formatMinute(opening.toISOString())})`;
}
