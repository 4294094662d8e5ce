import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { formatMinute, formatTimeout } from '../domain/format';
import { type ImageTarget, parseImageReference, repositoryOf, targetOf } from '../domain/images/image-reference';
import { nextOpening, type UpdateWindow } from '../domain/decision/update-window';
import type { Update } from '../domain/update';

/** What holds a queued update up, with the reason as a sentence; `notBefore` null: nothing but its turn. */
export interface StartTime {
  notBefore: string | null;
  /** It is bound to the window that its container has when it starts, also where there is none yet. */
  inWindow: boolean;
  why: string | null;
}

/** Starts as soon as earlier work is finished: an operator requested it. */
export const AT_ONCE: StartTime = { notBefore: null, inWindow: false, why: null };

type Parts = Pick<Deps, 'store' | 'clock' | 'timeZone' | 'updateWindow' | 'minAgeMs'>;

/** The container's own window, else that of the settings; null: it may start at any time. */
export function windowOf(
  { updateWindow }: Pick<Deps, 'updateWindow'>,
  { labels }: Pick<Container, 'labels'>,
): UpdateWindow | null {
  return labels.window === undefined ? updateWindow : labels.window;
}

/**
 * When an update without a request of the operator may start: not before its digest is old enough, and then inside the window. To be
 * called in the transaction of the decision, since the digest is remembered.
 */
export function whenToStart(parts: Parts, container: Container, target: ImageTarget): StartTime {
  const now = parts.clock.now();
  const repository = repositoryOf(parseImageReference(target.reference));
  const firstSeen = parts.store.updates.firstSeen(repository, target.digest, now.toISOString());
  const minAgeMs = container.labels.minAgeMs ?? parts.minAgeMs;
  const oldEnough = new Date(Math.max(now.getTime(), Date.parse(firstSeen) + minAgeMs));
  const young =
    oldEnough > now
      ? `The digest was first seen at ${formatMinute(firstSeen, parts.timeZone)}, and update.min-age is ${formatTimeout(minAgeMs)}.`
      : null;
  return inWindowFrom(parts, windowOf(parts, container), oldEnough, young);
}

/** The next time that the window is open, for an update that a person approved for it; null: there is none by now. */
export function nextWindow(parts: Pick<Parts, 'clock' | 'timeZone'>, window: UpdateWindow | null): StartTime {
  return inWindowFrom(parts, window, parts.clock.now(), null);
}

/** When a queued update may start by the labels and settings of now: window and age may be others than at the decision. */
export function whenQueuedMayStart(parts: Parts, { inWindow, approval, to }: Update, container: Container): StartTime {
  const target = targetOf(to);
  if (!inWindow || target === null) return AT_ONCE;
  return approval === null ? whenToStart(parts, container, target) : nextWindow(parts, windowOf(parts, container));
}

function inWindowFrom(
  { clock, timeZone }: Pick<Parts, 'clock' | 'timeZone'>,
  window: UpdateWindow | null,
  from: Date,
  young: string | null,
): StartTime {
  const start = window === null ? from : nextOpening(window, from, timeZone);
  if (start <= clock.now()) return { notBefore: null, inWindow: true, why: null };
  const closed = window === null || start <= from ? null : `The update window is ${window.text}.`;
  const reasons = [young, closed].filter((reason) => reason !== null).join(' ');
  const why = `The update starts at ${formatMinute(start.toISOString(), timeZone)} at the earliest. ${reasons}`;
  return { notBefore: start.toISOString(), inWindow: true, why: why.trim() };
}
