import { nextOpening, readWindow } from '../../domain/decision/update-window';
import { DAY_MS, formatAge, formatMinute, localTimeZone } from '../../domain/format';
import type { Plan } from '../../domain/plan/plan';
import type { UpdateStatus } from '../../domain/update';

export type Tone = 'good' | 'notice' | 'attention' | 'alarm' | 'quiet';

const TONES: Record<UpdateStatus, Tone> = {
  awaiting_approval: 'attention',
  queued: 'notice',
  running: 'notice',
  succeeded: 'good',
  failed: 'attention',
  rolled_back: 'attention',
  rollback_failed: 'alarm',
  declined: 'quiet',
  expired: 'quiet',
  superseded: 'quiet',
  ignored: 'quiet',
};

export function toneOf(status: UpdateStatus): Tone {
  return TONES[status];
}

const TONES_OF_WORK = {
  queued: 'notice',
  running: 'notice',
  succeeded: 'good',
  failed: 'alarm',
  pruned: 'quiet',
} as const;

/** For a backup, a restore or a renewal: a failed one needs the operator, because nothing was rolled back. */
export function toneOfWork(status: keyof typeof TONES_OF_WORK): Tone {
  return TONES_OF_WORK[status];
}

/** `12 s ago`, `5 min ago`, `9 h ago`, `4 days ago`; of the future `in …`. */
export function ago(time: string, now: Date): string {
  const ms = now.getTime() - Date.parse(time);
  if (Math.abs(ms) < 1000) return 'now';
  if (ms >= 0) return `${formatAge(ms)} ago`;
  // To the nearest day: a link that is valid for three days still is a minute later.
  return `in ${formatAge(ms <= -2 * DAY_MS ? -ms + DAY_MS / 2 : -ms)}`;
}

/** The button that approves for the next update window, with its time; null: there is none, or it is open now, which is that time. */
export function nextWindowText({ window: text }: Pick<Plan, 'window'>, now: Date): string | null {
  const window = text ? readWindow(text) : null;
  if (window === null || 'problem' in window) return null;
  const opening = nextOpening(window, now, localTimeZone());
  return opening <= now ? null : `Approve for the next window (${formatMinute(opening.toISOString())})`;
}
