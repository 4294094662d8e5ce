import { healthOfContainer } from '../containers/check-health';
import { codeOf, messageOf, PilotError, toPilotError } from '../domain/errors';
import type { Update, Verdict } from '../domain/update';
import { bringBack, type BroughtBack } from './bring-back';
import { detectExternalChange, whyNameless } from './external-change';
import { hasChangedData } from './fingerprint/data-change';
import { keptSentences } from './kept-sentences';
import { recordLeftovers } from './leftovers';
import { mailOfEnd } from './mail-of-end';
import { syncLocalTagIfPossible } from './local-tag';
import { seeToNeighbours, startTouched } from './neighbours/see-to-neighbours';
import { rememberVerdict } from './quarantine';
import { repositoryIn } from './remove-old-images';
import { reasonOfEnd } from './reason-of-end';
import type { ActiveUpdate } from './run';
import { othersStopped, serveAgain } from './stopped-containers';
import { undoPreparation } from './undo-preparation';

/**
 * The container that was seen healthy serves, if it is still the one that has the name; `rollback_failed`: on data that it was
 * not made for. Rejects as `endNaming`.
 */
export async function endServing(
  run: ActiveUpdate,
  verdict: 'succeeded' | 'rolled_back' | 'rollback_failed',
  error: PilotError | null = null,
): Promise<Update> {
  const leftovers = await recordLeftovers(run);
  await syncLocalTagIfPossible(run);
  const happened = (await detectExternalChange(run)) ?? (await whyNameless(run));
  if (happened !== null) return endNaming(run, 'rollback_failed', happened);
  return end(run, verdict, error, leftovers);
}

/**
 * The end of a run that changed nothing: prepared containers are removed first, and those stopped for the backup are
 * running again. If one of those is not, manual action is required and reported. Rejects as `endNaming`.
 */
export async function endUnchanged(run: ActiveUpdate, error: unknown): Promise<Update> {
  await undoPreparation(run);
  const happened = await detectExternalChange(run);
  const cause = happened ?? toPilotError(error);
  try {
    await serveAgain(run, happened === null ? run.journal.stopped : othersStopped(run));
    // A start may give a container another address, which nginx must load.
    if (run.journal.stopped.length > 0) await seeToNeighbours(run, () => undefined, false);
  } catch (failure) {
    if (codeOf(failure) === 'engine_unreachable') throw failure;
    const message = `${messageOf(failure)}\nContainers were stopped for the backup and started again. The update was aborted because: ${cause.message}`;
    return endNaming(run, 'rollback_failed', new PilotError(cause.code, message, { cause: failure }));
  }
  return endNaming(run, 'failed', cause);
}

/** The end of a run that may have moved the tag. Rejects only with `engine_unreachable`: then it is to be called again. */
export async function endNaming(run: ActiveUpdate, verdict: Verdict, error: PilotError | null): Promise<Update> {
  const { back, leftovers } = await bringBackAndName(run, error);
  await startTouched(run);
  const serves = verdict === 'rollback_failed' && back !== null && (await oldIsRunningAgain(run, back));
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
  const leftovers = await recordLeftovers(run);
  await syncLocalTagIfPossible(run);
  return leftovers;
}

/** On the data from before, running and healthy: then it is rolled back, whatever another process did. */
async function oldIsRunningAgain(run: ActiveUpdate, { id }: BroughtBack): Promise<boolean> {
  const { oldContainerId, containerName } = run.journal;
  if (id !== oldContainerId || hasChangedData(run)) return false;
  try {
    await healthOfContainer(run, id, containerName, () => undefined);
    return true;
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
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

/** Stores the verdict, what is to be remembered of it and its mail, in one transaction. */
function end(run: ActiveUpdate, verdict: Verdict, error: PilotError | null, leftovers: readonly string[]): Update {
  const { store, clock, update, journal, logger } = run;
  const ended = store.transaction(() => {
    endInterruptedSteps(run);
    const changed = store.updates.change(update.id, {
      status: verdict,
      finishedAt: clock.now().toISOString(),
      reason: [reasonOfEnd(journal, verdict, error), ...keptSentences(run, update), ...leftovers].join(' '),
      error: error === null ? null : { code: error.code, message: error.message },
      followUp: verdict === 'succeeded' ? update.followUp : null,
    });
    store.updates.saveJournal(update.id, { ...journal, snapshot: undefined });
    rememberVerdict(run, verdict, error);
    mailOfEnd(run, changed);
    if (verdict === 'succeeded') reofferPending(run);
    if (verdict === 'succeeded') rememberReplacedImage(run, changed);
    return changed;
  });
  const fields = { update: update.id, container: update.container, status: verdict, code: error?.code };
  if (verdict === 'succeeded') logger.info('update succeeded', fields);
  else logger.error('update did not succeed', { ...fields, reason: error?.message });
  return ended;
}

/** The old image may be removed once it exceeds what is to be kept. */
function rememberReplacedImage({ store, clock, journal, keepImages }: ActiveUpdate, { from }: Update): void {
  const repository = from === null ? null : repositoryIn(from.reference);
  if (repository === null || journal.oldImageId === journal.newImageId) return;
  const now = clock.now().toISOString();
  store.replacedImages.add({ imageId: journal.oldImageId, repository, replacedAt: now });
  const isLimited = keepImages !== null || journal.snapshot?.Config.Labels?.['update.keep-images'] !== undefined;
  if (isLimited) store.timers.ring('old-images', now);
}

/** A crash left it running, and the run ended without coming to it again. */
function endInterruptedSteps({ store, update }: ActiveUpdate): void {
  for (const { name, status } of store.updates.get(update.id)?.steps ?? [])
    if (status === 'running') store.updates.endStep(update.id, name, 'failed', 'It was interrupted.');
}

/** Pending updates of the same container were offered for a version that no longer runs. */
function reofferPending({ store, clock, journal }: ActiveUpdate): void {
  const waits = store.updates.openFor(journal.containerName).some(({ status }) => status === 'awaiting_approval');
  if (waits) store.timers.ring('reoffer', clock.now().toISOString());
}
