import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, isUndecided, messageOf, type PilotError } from '../domain/errors';
import type { Journal, Stage } from '../domain/journal';
import type { StepName, Update } from '../domain/update';
import type { Progress } from '../lib/logger';
import { writtenProgress } from '../lib/written-progress';

/** A started update: everything needed to finish it, even if its old container is gone. */
export interface ActiveUpdate extends Deps {
  update: Update;
  journal: Journal;
}

/** One update while it runs on a container that is there. */
export interface Run extends ActiveUpdate {
  /** The old container, as inspected at the start of this run; it is addressed by its id. */
  old: ContainerInspect;
  /** The same as policy sees it. */
  container: Container;
  /** Why the image could not be fetched in advance, for the step `pull`: another try would be made after an unquiesced backup. */
  pullFailure?: PilotError;
  /** IDs of all containers when the writers were stopped; in memory only. */
  knownAtStop?: ReadonlySet<string>;
}

/** A step that had nothing to do, with the reason. */
export class Skipped {
  constructor(readonly reason: string) {}
}

/**
 * Runs one step of the workflow between two entries of the journal. What `work` returns is the step's detail; what it
 * throws is the step's failure, and is thrown on; but not what decides nothing.
 */
export async function step(
  run: Pick<ActiveUpdate, 'store' | 'update' | 'clock' | 'logger'>,
  name: StepName,
  work: (progress: Progress) => Promise<string | Skipped>,
): Promise<void> {
  const { store, update, clock } = run;
  const logger = run.logger.child({ update: update.id, container: update.container, step: name });
  store.updates.beginStep(update.id, name);
  logger.info('step started');
  const progress = writtenProgress({ clock, logger }, (detail) => store.updates.stepDetail(update.id, name, detail));
  try {
    const outcome = await work(progress);
    const skipped = outcome instanceof Skipped;
    const detail = skipped ? outcome.reason : outcome;
    store.updates.endStep(update.id, name, skipped ? 'skipped' : 'succeeded', detail);
    logger.info(skipped ? 'step skipped' : 'step succeeded', { detail });
  } catch (error) {
    if (!isUndecided(error)) store.updates.endStep(update.id, name, 'failed', messageOf(error));
    logger.warn('step failed', { code: codeOf(error), reason: messageOf(error) });
    throw error;
  }
}

/** Writes how far the run has come, before the act that it announces. What was read of `run.journal` before is old then. */
export function checkpoint(run: ActiveUpdate, stage: Stage, known: Partial<Journal> = {}): void {
  run.journal = { ...run.journal, ...known, stage };
  run.store.updates.saveJournal(run.update.id, run.journal);
}

/** Id of the container that was created for this update. Throws when there is none: a defect. */
export function newContainerOf({ journal }: Pick<ActiveUpdate, 'journal'>): string {
  if (journal.newContainerId === null) throw new Error('no container was created before it is used');
  return journal.newContainerId;
}
