import type { Deps } from '../deps';
import type { RestoreJournal } from '../domain/backups/restore';
import type { Progress } from '../lib/logger';
import type { Store } from '../ports/store';
import { pinned, type PinnedStorage } from './pinned-storage';
import { planRestore, type RestorePlan, type ToRestore } from './plan-restore';

export type RestoreDeps = Pick<
  Deps,
  'engine' | 'swarm' | 'storage' | 'clock' | 'logger' | 'selfId' | 'approvalSecrets'
> & {
  store: Pick<Store, 'disarmed' | 'keptContainers'>;
};

/** One restore while it runs. */
export interface RestoreRun extends RestoreDeps {
  /** What was read and found right is what is restored. */
  storage: PinnedStorage;
  plan: RestorePlan;
  journal: RestoreJournal;
  /** Keeps the journal; what it was given is on the disk when it returns. */
  save(journal: RestoreJournal): void;
  onProgress: Progress;
  /** Id of a writer that is started at the end although it does not run now; null: none. */
  alsoStarts: string | null;
  /** Files outside every volume: a manual restore refuses them; after a rollback they are as they were, in the untouched container. */
  ownLayer: 'refuse' | 'untouched';
  /**
   * Each dump and tar is also read as what it is before anything is stopped. An authenticated set was read so when it was taken, so
   * that its hashes are enough: left out. True: the operator trusts a set that is not authenticated, or only looks.
   */
  deep?: boolean;
  /**
   * Asked once all is unpacked, which may be hours after the set was read: rejects if the current data must stay. Left out: an
   * operator chose the restore.
   */
  mayStillSwap?: () => Promise<void>;
  /** The caller has scaled the services that write to 0, and scales them back; left out: the restore stops and starts containers. */
  writers?: 'scaled to 0';
}

interface Opening extends Omit<RestoreRun, 'storage' | 'plan'>, Pick<RestoreDeps, 'storage'> {
  set: Omit<ToRestore, 'distrust' | 'target'> & Partial<Pick<ToRestore, 'target'>>;
}

/** One restore of a set that is authenticated, or that the operator trusts; `target` left out: as the set says. */
export function restoreRun({ set, ...parts }: Opening): RestoreRun {
  return { ...parts, storage: pinned(parts.storage), plan: planRestore({ distrust: null, target: null, ...set }) };
}

/** Writes how far the restore has come, before the act that it announces. */
export function checkpointRestore(run: RestoreRun, known: Partial<RestoreJournal>): void {
  run.journal = { ...run.journal, ...known };
  run.save(run.journal);
}
