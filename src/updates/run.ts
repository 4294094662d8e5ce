import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, messageOf } from '../domain/errors';
import type { Journal, Stage, StepName, Update } from '../domain/update';
import type { Progress } from '../lib/progress';

/** One update while it runs: what is known of it, and its journal. */
export interface Run extends Deps {
  update: Update;
  /** As inspected at the begin of this run; the id is what it is addressed by. */
  old: ContainerInspect;
  container: Container;
  journal: Journal;
}

/** A step that had nothing to do, with the reason. */
export class Skipped {
  constructor(readonly reason: string) {}
}

/** Not more often than a person reads. */
const PROGRESS_EVERY_MS = 500;

/**
 * Runs one step of the workflow between two entries of the journal. What `work` returns is the step's detail; what it
 * throws is the step's failure, and is thrown on.
 */
export async function step(
  run: Run,
  name: StepName,
  work: (progress: Progress) => Promise<string | Skipped>,
): Promise<void> {
  const { store, update, clock } = run;
  const logger = run.logger.child({ update: update.id, container: update.container, step: name });
  store.updates.beginStep(update.id, name);
  logger.info('step begins');
  let told = 0;
  const progress: Progress = (detail) => {
    const now = clock.now().getTime();
    if (now - told < PROGRESS_EVERY_MS) return;
    told = now;
    store.updates.stepDetail(update.id, name, detail);
  };
  try {
    const outcome = await work(progress);
    const skipped = outcome instanceof Skipped;
    const detail = skipped ? outcome.reason : outcome;
    store.updates.endStep(update.id, name, skipped ? 'skipped' : 'succeeded', detail);
    logger.info(skipped ? 'step skipped' : 'step succeeded', { detail });
  } catch (error) {
    if (codeOf(error) !== 'engine_unreachable') store.updates.endStep(update.id, name, 'failed', messageOf(error));
    logger.warn('step failed', { code: codeOf(error), reason: messageOf(error) });
    throw error;
  }
}

/** Writes how far the run has come, before the act that it announces. */
export function reach(
  run: Pick<Run, 'journal' | 'store' | 'update'>,
  stage: Stage,
  known: Partial<Journal> = {},
): void {
  run.journal = { ...run.journal, ...known, stage };
  run.store.updates.saveJournal(run.update.id, run.journal);
}
