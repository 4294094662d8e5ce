import { mailOfSuperseded } from '../decisions/mail-of-offer';
import type { Deps } from '../deps';
import type { ErrorCode } from '../domain/errors';
import type { Update } from '../domain/update';
import { mailOfEnd } from './mail-of-end';

/** Why an update is not started, as text; of one that fails with its code. */
export type Unstarted =
  { status: 'superseded' | 'ignored'; reason: string } | { status: 'failed'; reason: string; code: ErrorCode };

/** The end of an update of which nothing was done yet: stored with its mail, in one transaction. */
export function endUnstarted(deps: Deps, update: Update, why: Unstarted): Update {
  const { store, clock, logger } = deps;
  const { status, reason } = why;
  logger.info('update not started', { update: update.id, container: update.container, status, reason });
  return store.transaction(() => {
    const ended = store.updates.change(update.id, {
      status,
      reason,
      finishedAt: clock.now().toISOString(),
      error: why.status === 'failed' ? { code: why.code, message: reason } : null,
    });
    if (status === 'failed') mailOfEnd(deps, ended);
    if (status === 'superseded') mailOfSuperseded(deps, ended);
    return ended;
  });
}
