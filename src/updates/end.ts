import { mailOfSuperseded } from '../decisions/mail-of-offer';
import type { Deps } from '../deps';
import type { ErrorCode } from '../domain/errors';
import { codeOf, messageOf, PilotError, toPilotError } from '../domain/errors';
import type { RestoreJournal } from '../domain/restore';
import type { Journal, Update, UpdateStatus, Verdict } from '../domain/update';
import { whatElseHappened } from './changed-meanwhile';
import { mailOfEnd } from './mail-of-end';
import { nameWhatRunsIfPossible } from './name-what-runs';
import type { Run } from './run';
import { othersStopped, serveAgain } from './stopped-containers';
import { undoPreparation } from './undo-preparation';

/** A digest that failed by itself is not tried again by itself; what the surroundings failed at, is (contract, section 4). */
const THE_IMAGES_FAULT: readonly ErrorCode[] = [
  'preflight_failed',
  'recreate_refused',
  'recreate_failed',
  'unhealthy',
  'rollback_failed',
  'unhealthy_as_before',
  'interrupted',
  'internal_error',
];

type Ending = Deps & { update: Update; journal: Journal };

/** The end of a run that may have moved the tag. Rejects only with `engine_unreachable`: then it is to be called again. */
export async function endNaming(run: Ending, verdict: Verdict, error: PilotError | null = null): Promise<Update> {
  await nameWhatRunsIfPossible(run);
  return end(run, verdict, error);
}

/** The container that was seen healthy serves, if it is still the one that bears the name. Rejects as `endNaming`. */
export async function endServing(
  run: Ending,
  verdict: 'succeeded' | 'rolled_back',
  error: PilotError | null = null,
): Promise<Update> {
  await nameWhatRunsIfPossible(run);
  const happened = await whatElseHappened(run);
  return happened === null ? end(run, verdict, error) : endNaming(run, 'rollback_failed', happened);
}

/** Stores the verdict, what is to be remembered of it and its mail, in one transaction. */
export function end(run: Ending, verdict: Verdict, error: PilotError | null = null): Update {
  const { store, clock, update } = run;
  const ended = store.transaction(() => {
    const changed = store.updates.change(update.id, {
      status: verdict,
      finishedAt: clock.now().toISOString(),
      reason: error?.code === 'changed_meanwhile' ? changedReason(run, verdict, error) : reasonOf(run, verdict, error),
      error: error === null ? null : { code: error.code, message: error.message },
      followUp: verdict === 'succeeded' ? update.followUp : null,
    });
    remember(run, verdict, error);
    mailOfEnd(run, changed);
    if (verdict === 'succeeded') reofferWhatWaits(run);
    return changed;
  });
  const fields = { update: update.id, container: update.container, status: verdict, code: error?.code };
  if (verdict === 'succeeded') run.logger.info('update succeeded', fields);
  else run.logger.error('update did not succeed', { ...fields, reason: error?.message });
  return ended;
}

/** What waits for the same container was offered from what does not run any more. */
function reofferWhatWaits({ store, clock, update }: Ending): void {
  const waits = store.updates.openFor(update.container ?? '').some(({ status }) => status === 'awaiting_approval');
  if (waits) store.timers.ring('reoffer', clock.now().toISOString());
}

/**
 * The end of a run that changed nothing: what was prepared is taken away first, and who was stopped for the backup serves
 * again. If one of those does not, a person is needed, and told so.
 */
export async function endUnchanged(run: Run, error: unknown): Promise<Update> {
  await undoPreparation(run);
  const happened = await whatElseHappened(run);
  const cause = happened ?? toPilotError(error);
  try {
    await serveAgain(run, happened === null ? run.journal.stopped : othersStopped(run));
  } catch (failure) {
    if (codeOf(failure) === 'engine_unreachable') throw failure;
    const message = `${messageOf(failure)}\nIt was stopped for the backup. The update was given up because: ${cause.message}`;
    return endNaming(run, 'rollback_failed', new PilotError(cause.code, message, { cause: failure }));
  }
  return endNaming(run, 'failed', cause);
}

/** The end of an update that was never begun. */
export function endWithout(deps: Deps, update: Update, status: UpdateStatus, reason: string): Update {
  deps.logger.info('update not begun', { update: update.id, container: update.container, status, reason });
  return deps.store.transaction(() => {
    const ended = deps.store.updates.change(update.id, {
      status,
      reason,
      finishedAt: deps.clock.now().toISOString(),
      error: status === 'failed' ? { code: 'container_not_found', message: reason } : null,
    });
    if (status === 'failed') mailOfEnd(deps, ended);
    if (status === 'superseded') mailOfSuperseded(deps, ended);
    return ended;
  });
}

function remember({ store, clock, update }: Ending, verdict: Verdict, error: PilotError | null): void {
  if (update.container === null || update.to.digest === null) return;
  if (verdict === 'succeeded') store.refusals.remove(update.container, update.to.digest);
  else if (error !== null && THE_IMAGES_FAULT.includes(error.code)) {
    store.refusals.add({
      container: update.container,
      digest: update.to.digest,
      why: 'failed',
      updateId: update.id,
      at: clock.now().toISOString(),
    });
  }
}

function reasonOf({ update, journal }: Ending, verdict: Verdict, error: PilotError | null): string {
  const name = update.container ?? '';
  switch (verdict) {
    case 'succeeded':
      return `${name} runs ${journal.newReference} and is healthy.`;
    case 'failed':
      if (error?.code === 'container_not_running') return `Nothing was changed: ${name} does not run, as before.`;
      return `Nothing was changed: ${name} still runs ${journal.oldReference} as before.${whoWasStopped(journal)}`;
    case 'rolled_back':
      if (journal.restore !== null) return restoredReason(name, journal.restore);
      return journal.oldStopped
        ? `${name} was rolled back: the old container serves again and is healthy.`
        : `${name} was rolled back: the old container was never stopped, and is healthy.`;
    case 'rollback_failed':
      if (error?.code === 'unhealthy_as_before')
        return `${name} was rolled back: the old container is started again, and fails its health check as before the update. It needs a person.`;
      if (journal.stage === 'preparing')
        return `Nothing was changed, but not all that was stopped for the backup serves again: it needs a person now.`;
      return `${name} was rolled back, but the old container is not healthy either: it needs a person now.`;
  }
}

function changedReason({ journal }: Ending, verdict: Verdict, { message }: PilotError): string {
  const sentence = message.split('\n')[0] ?? message;
  return verdict === 'failed'
    ? `Nothing was changed by diun-pilot. ${sentence}${whoWasStopped(journal)}`
    : `${sentence} The update could neither be ended nor undone: look at it.`;
}

function whoWasStopped({ stopped }: Journal): string {
  if (stopped.length === 0) return '';
  const names = stopped.map(({ name }) => name).join(', ');
  return ` Stopped for the backup and started again: ${names}.`;
}

function restoredReason(name: string, { manifest, kept }: RestoreJournal): string {
  const aside = kept.length === 0 ? '' : ` Kept aside: ${kept.map(({ what }) => what).join('; ')}.`;
  return `${name} was rolled back. The new version had changed the data, so the data of ${manifest?.createdAt ?? 'the backup'} was restored; the old container serves again and is healthy.${aside}`;
}
