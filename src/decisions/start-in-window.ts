import type { ApprovedStart } from '../approvals/record-decision';
import type { Deps } from '../deps';
import { PilotError } from '../domain/errors';
import { readWindow } from '../domain/decision/update-window';
import { nextWindow } from './when-to-start';

/** When an update that is approved for the next window starts, by the window of its plan. Throws `no_window`. */
export function startInWindow(deps: Pick<Deps, 'store' | 'clock' | 'timeZone'>, id: string): ApprovedStart {
  const text = deps.store.updates.plan(id)?.window ?? null;
  const window = text === null ? null : readWindow(text);
  if (window === null || 'problem' in window) {
    throw new PilotError(
      'no_window',
      'The container has no update window, so nothing was decided. Approve the update now, or set update.window.',
    );
  }
  return nextWindow(deps, window);
}
