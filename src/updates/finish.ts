import { restoreUrl } from '../decisions/recovery-links';
import { pageUrl } from '../decisions/approval-links';
import { lookForLeftovers } from '../containers/adopt-aside';
import { healthOfContainer } from '../containers/check-health';
import { insistOr } from '../containers/insist';
import { mailOfSuperseded } from '../decisions/mail-of-offer';
import type { Deps } from '../deps';
import {
  messageOf,
  PilotError,
  rethrowUndecided,
  toPilotError,
  withCause,
  type ErrorCode,
  type Failure,
} from '../domain/errors';
import { formatTime } from '../domain/format';
import { isFaultOfImage } from '../domain/health/health-failure';
import { keptDataText, keptText } from '../domain/recreate/carry-over';
import { isUnattended, type Update, type Verdict } from '../domain/update';
import { updateFailed } from '../notifications/mails/update-failed';
import { updateSucceeded } from '../notifications/mails/update-succeeded';
import { postMail, postWithoutMail } from '../notifications/post-mail';
import type { Store } from '../ports/store';
import { bringBack, type BroughtBack, recordLeftovers } from './bring-back';
import { detectExternalChange, whyNameless } from './external-change';
import { hasChangedData } from './fingerprint/data-change';
import { howUpdateEnded, reasonOfEnd } from './reason-of-end';
import { syncLocalTagIfPossible } from './local-tag';
import { seeToNeighbours, startTouched } from './neighbours/see-to-neighbours';
import { repositoryIn } from './clean-up';
import { afterSoakRollback } from './soak/soak-rollback';
import { beginSoak } from './soak/keep-for-soak';
import type { ActiveUpdate } from './run';
import { othersStopped, restartAndVerify } from './backup/stopped-containers';
import { undoPreparation } from './prepare-replacement';

/**
 * The container that was seen healthy serves, if it is still the one that has the name; `rollback_failed`: on data that it was
 * not made for. Rejects as `finishRetagged`.
 */
export async function finishHealthy(
  run: ActiveUpdate,
  verdict: 'succeeded' | 'rolled_back' | 'rollback_failed',
  error: PilotError | null = null,
): Promise<Update> {
  const leftovers = await whatIsLeft(run);
  await syncLocalTagIfPossible(run);
  const look = async (): Promise<PilotError | null> => (await detectExternalChange(run)) ?? (await whyNameless(run));
  const happened = await insistOr(run, 'the look for external changes', look, null);
  if (happened !== null) return finishRetagged(run, 'rollback_failed', happened);
  return end(run, verdict, error, leftovers);
}

/**
 * The end of a run that changed nothing: prepared containers are removed first, and those stopped for the backup are
 * running again. If one of those is not, manual action is required and reported. Rejects as `finishRetagged`.
 */
export async function finishUntouched(run: ActiveUpdate, error: unknown): Promise<Update> {
  await insistOr(run, 'the removal of what was prepared', () => undoPreparation(run), undefined);
  const happened = await insistOr(run, 'the look for external changes', () => detectExternalChange(run), null);
  const cause = happened ?? toPilotError(error);
  try {
    await restartAndVerify(run, happened === null ? run.journal.stopped : othersStopped(run));
    // A start may give a container another address, which nginx must load.
    if (run.journal.stopped.length > 0) await seeToNeighbours(run, () => undefined, false);
  } catch (failure) {
    rethrowUndecided(failure);
    const message = withCause(failure, 'The update was aborted because:', cause);
    return finishRetagged(run, 'rollback_failed', new PilotError(cause.code, message, { cause: failure }));
  }
  return finishRetagged(run, 'failed', cause);
}

/** The end of a run that may have moved the tag. Rejects only with `engine_unreachable`: then it is to be called again. */
export async function finishRetagged(run: ActiveUpdate, verdict: Verdict, error: PilotError | null): Promise<Update> {
  const { back, leftovers } = await bringBackAndName(run, error);
  await startTouched(run);
  const serves = verdict === 'rollback_failed' && back !== null && (await oldIsRunningAgain(run, back));
  if (back !== null) run.journal = { ...run.journal, broughtBack: back.id === null ? 'none runs' : 'started' };
  const reported = back === null ? error : withWords(error, back.words);
  return end(run, serves ? 'rolled_back' : verdict, reported, leftovers);
}

/** Another process may act at any moment: once all is named, it is looked again whether a container has the name. */
async function bringBackAndName(
  run: ActiveUpdate,
  error: PilotError | null,
): Promise<{ back: BroughtBack | null; leftovers: string[] }> {
  const first = await bringBack(run, error);
  const leftovers = await recordAndName(run);
  const back = first ?? (await bringBack(run, error));
  if (first !== null || back === null) return { back, leftovers };
  if (back.id !== null) run.store.keptContainers.remove(back.id);
  return { back, leftovers: await recordAndName(run) };
}

async function recordAndName(run: ActiveUpdate): Promise<string[]> {
  const leftovers = await whatIsLeft(run);
  await syncLocalTagIfPossible(run);
  return leftovers;
}

function whatIsLeft(run: ActiveUpdate): Promise<string[]> {
  return insistOr(run, 'the list of what is left over', () => recordLeftovers(run), []);
}

/** On the data from before, running and healthy: then it is rolled back, whatever another process did. */
async function oldIsRunningAgain(run: ActiveUpdate, { id }: BroughtBack): Promise<boolean> {
  const { oldContainerId, containerName } = run.journal;
  if (id !== oldContainerId || hasChangedData(run)) return false;
  try {
    await healthOfContainer(run, id, containerName, () => undefined);
    return true;
  } catch (error) {
    rethrowUndecided(error);
    run.logger.warn('the container that was brought back is not healthy', {
      update: run.update.id,
      reason: messageOf(error),
    });
    return false;
  }
}

/** That no container had the name is the work of another process, whatever failed for it. */
function withWords(error: PilotError | null, broughtBack: string): PilotError {
  const [first = '', ...rest] = error?.code === 'changed_meanwhile' ? error.message.split('\n') : [''];
  const more = error !== null && error.code !== 'changed_meanwhile' ? [error.message] : rest;
  const message = [`${first} ${broughtBack}`.trim(), ...more].join('\n');
  return new PilotError('changed_meanwhile', message, { cause: error });
}

/** Ends the run of a container. */
function end(run: ActiveUpdate, verdict: Verdict, error: PilotError | null, leftovers: readonly string[]): Update {
  const { store, update, journal } = run;
  return store.transaction(() => {
    const soaks = verdict === 'succeeded' && beginSoak(run);
    const sentences = [...soakFailure(journal), reasonOfEnd(journal, verdict, error)];
    const reason = [...sentences, ...keptSentences(run, update), ...leftovers].join(' ');
    const followUp = verdict === 'succeeded' || journal.soak?.failed !== undefined ? run.update.followUp : null;
    const ended = storeEnd(run, { verdict, error, reason, followUp }, () =>
      store.updates.saveJournal(update.id, soaks ? journal : { ...journal, snapshot: undefined }),
    );
    if (verdict === 'succeeded') rememberReplacedImage(run, ended);
    if (journal.soak?.failed !== undefined) afterSoakRollback(run, ended);
    if (journal.restore !== null || journal.major !== undefined) lookForLeftovers(run);
    return ended;
  });
}

/** What every run has, of a container or a service. */
type Ending = Deps & { update: Update };

/** Stores the verdict, what is to be remembered of it (`also`: more of that) and its mail, in one transaction. */
export function storeEnd(
  run: Ending,
  end: { verdict: Verdict; error: PilotError | null; reason: string; followUp: string | null },
  also: () => void = () => undefined,
): Update {
  const { store, clock, update, logger } = run;
  const { verdict, error, reason, followUp } = end;
  const ended = store.transaction(() => {
    endInterruptedSteps(run);
    const changed = store.updates.change(update.id, {
      status: verdict,
      finishedAt: clock.now().toISOString(),
      ...{ reason, followUp },
      error: error === null ? null : { code: error.code, message: error.message },
    });
    also();
    rememberVerdict(run, verdict, error);
    mailOfEnd(run, changed);
    if (verdict === 'succeeded') reofferPending(run);
    return changed;
  });
  const fields = { update: update.id, container: update.container, status: verdict, code: error?.code };
  if (verdict === 'succeeded') logger.info('update succeeded', fields);
  else logger.error('update did not succeed', { ...fields, reason: error?.message });
  return ended;
}

/** Why an update that had succeeded was rolled back. */
function soakFailure({ soak }: ActiveUpdate['journal']): string[] {
  return soak?.failed === undefined ? [] : [soak.failed.why];
}

/** The old image may be removed once it exceeds what is to be kept; never one that was built here, which no registry may have. */
function rememberReplacedImage({ store, clock, journal, keepImages }: ActiveUpdate, { from }: Update): void {
  const repository = from === null ? null : repositoryIn(from.reference);
  if (from === null || from.digest === null || repository === null) return;
  if (journal.oldImageId === journal.newImageId) return;
  const now = clock.now().toISOString();
  store.replacedImages.add({ imageId: journal.oldImageId, repository, reference: from.reference, replacedAt: now });
  const isLimited = keepImages !== null || journal.snapshot?.Config.Labels?.['update.keep-images'] !== undefined;
  if (isLimited) store.timers.ring('old-images', now);
}

/** A crash left it running, and the run ended without coming to it again. */
function endInterruptedSteps({ store, update }: Ending): void {
  for (const { name, status } of store.updates.get(update.id)?.steps ?? [])
    if (status === 'running') store.updates.endStep(update.id, name, 'failed', 'The step was interrupted.');
}

/** Pending updates of the same container were offered for a version that no longer runs. */
function reofferPending({ store, clock, update }: Ending): void {
  const waits = store.updates.openFor(update.container ?? '').some(({ status }) => status === 'awaiting_approval');
  if (waits) store.timers.ring('reoffer', clock.now().toISOString());
}

/** Why an update is not started, as text; of one that fails with its code. */
export type Unstarted =
  { status: 'superseded' | 'ignored'; reason: string } | { status: 'failed'; reason: string; code: ErrorCode };

/** The end of an update of which nothing was done yet: stored with its mail, in one transaction. */
export function finishUnstarted(deps: Deps, update: Update, why: Unstarted): Update {
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
    if (why.status === 'failed' && isFaultOfImage({ code: why.code, message: reason })) quarantine(deps, ended);
    if (status === 'failed') mailOfEnd(deps, ended);
    if (status === 'superseded') mailOfSuperseded(deps, ended);
    return ended;
  });
}

/** The mail of a verdict (docs/notifications.md): to be called in the transaction that stores it. */
function mailOfEnd(deps: Deps, update: Update): void {
  const { store } = deps;
  const backup = update.backupId === null ? null : store.backups.get(update.backupId);
  const news = { update, backup, page: pageUrl(deps, update) };
  if (update.status === 'succeeded') {
    const mail = updateSucceeded({
      ...news,
      dataChange: howUpdateEnded(store, update).dataChange,
      kept: keptSentences(deps, update),
    });
    return void (isUnattended(update) ? postWithoutMail(store.outbox, mail) : postMail(store.outbox, mail));
  }
  const quarantined = isQuarantined(store, update);
  const kept = keptSentences(deps, update);
  const ended = howUpdateEnded(store, update);
  const failed = { ...news, ...ended, quarantined, kept, reconciles: deps.reconciles };
  postMail(store.outbox, updateFailed({ ...failed, restoreUrl: restoreUrl(deps, update, backup, ended.replaced) }));
}

/** What an update keeps on purpose past its end, until when, and the commands for it: of verdict and mail alike. */
function keptSentences({ store, timeZone }: Pick<Deps, 'store' | 'timeZone'>, update: Update): string[] {
  const until = ({ keepUntil }: { keepUntil: string }): string => formatTime(keepUntil, timeZone);
  return [
    ...store.keptContainers
      .all()
      .filter(({ updateId, leftover }) => updateId === update.id && !leftover)
      .map((kept) => keptText(kept, until(kept))),
    ...store.keptData
      .all()
      .filter(({ updateId }) => updateId === update.id)
      .map((kept) => keptDataText(kept, until(kept))),
  ];
}

/** Puts the digest in quarantine, or lets it out, as its verdict says: to be called in the transaction that stores it. */
function rememberVerdict({ store, clock, update }: Ending, verdict: Verdict, error: Failure | null): void {
  const { container, to } = update;
  if (container === null || to.digest === null) return;
  if (verdict === 'succeeded') store.refusals.remove(container, to.digest);
  else if (isFaultOfImage(causeOf(update, error))) quarantine({ store, clock }, update);
}

function quarantine({ store, clock }: Pick<Deps, 'store' | 'clock'>, { id, container, to }: Update): void {
  if (container === null || to.digest === null) return;
  store.refusals.add({ container, digest: to.digest, why: 'failed', updateId: id, at: clock.now().toISOString() });
}

/** How a rollback ended says nothing of the image: what it was for does, and is kept with the update. */
const ENDS_OF_ROLLBACK: readonly ErrorCode[] = [
  'rollback_failed',
  'unhealthy_as_before',
  'changed_meanwhile',
  'other_unhealthy',
];

function causeOf(update: Update, error: Failure | null): Failure {
  const none: Failure = { code: 'internal_error', message: '' };
  if (error !== null && ENDS_OF_ROLLBACK.includes(error.code)) return update.error ?? none;
  return error ?? none;
}

/** Whether the digest of an update is not retried automatically. */
function isQuarantined({ refusals }: Pick<Store, 'refusals'>, { container, to }: Update): boolean {
  return container !== null && to.digest !== null && refusals.find(container, to.digest) !== null;
}
