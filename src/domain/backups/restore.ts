import { shellWord } from '../text/shell';
import type { BackupManifest } from './backup';
import type { Failure } from '../errors';
import type { Stopped } from '../health/health-failure';
import { formatTime } from '../format';

/** The record of one requested restore. One after a rollback is part of its update instead. Times are ISO 8601. */
export interface RestoreRecord {
  id: string;
  backupId: string;
  /** Key of the set in the storage: on a fresh host no record of the backup is there. */
  folder: string;
  url: string;
  /** Compose project whose containers the data goes to, or the one container outside any; null: as the set says. */
  target: string | null;
  /** The update whose mail it was requested from; null: the command line. */
  updateId: string | null;
  /** SHA-256 of a manifest that is not authenticated and that the operator trusts; null: it must be authenticated. */
  trustedManifest: string | null;
  status: 'queued' | 'running' | 'succeeded' | 'failed';
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  /** What is being done, and at last what was done, as text. */
  detail: string | null;
  kept: Kept[];
  error: Failure | null;
}

/** The command that requests a restore. Without its target it would go to the containers that the set was taken from. */
export function restoreCommandLine({
  backup,
  project = null,
  trust = false,
}: {
  backup: string;
  project?: string | null | undefined;
  trust?: boolean;
}): string {
  const target = project === null ? [] : ['--project', project];
  return ['diun-pilot', 'restore', backup, ...target, ...(trust ? ['--trust'] : [])].map(shellWord).join(' ');
}

/** Data from before a restore, retained next to the restored data until the operator removes it. */
export interface Kept {
  what: string;
  /** The command that removes it, for a shell on the host. */
  remove: string;
}

/** A container that ran when a restore or an update began. */
export interface RanBefore {
  id: string;
  name: string;
  /** A database server, which runs all through it; else one that writes, and is stopped for it. */
  server: boolean;
  /** How long it may take until it answers after a start. */
  readyWithinMs: number;
}

/** A container that is stopped for a restore. */
export interface StoppedForRestore extends Stopped {
  /** `State.StartedAt` at its first stop: another one means that it has run since; left out: an older version did not note it. */
  startedAt?: string;
  /** Before its stop; left out: an older version did not note them. */
  addresses?: string[];
}

/**
 * How far a restore has come, written before each act; every act may be done twice. `checking`: the set is read, nothing
 * is touched. `staging`: writers are stopped, the data is unpacked next to the old. `swapping`: old and new change
 * places. `starting`: the data is restored, all containers are started. `undoing`: it failed, the old data is put back.
 */
export interface RestoreJournal {
  /** Ten letters and digits that all names of this restore bear. */
  mark: string;
  stage: 'checking' | 'staging' | 'swapping' | 'starting' | 'undoing';
  /** Stored once it was read completely: a storage that fails later does not prevent the way back. */
  manifest: BackupManifest | null;
  /** How often the process died while the data was unpacked: one that dies of it every time is undone. */
  interrupted: number;
  /** Known before anything is done, to run again wherever the engine goes down and leaves them so; not there: not started. */
  ran?: RanBefore[];
  /** In the order in which they are started again. */
  stopped: StoppedForRestore[];
  /** Names of those that use the data, did not run before, and are not started either; not there: none. */
  leftDown?: string[];
  /** What each path of the set is, by key. */
  kinds: Record<string, 'folder' | 'file'>;
  /** Image with a shell, by id of the container whose files it moves. */
  shells: Record<string, string>;
  kept: Kept[];
  /** What only the way to it needed is removed: this is not done next to those that are started by then. */
  tidied?: boolean;
  /** Some data may have changed places, and not been put back. */
  swapBegan: boolean;
  /** Why it is being undone. */
  cause: Failure | null;
  /** It was undone, but not every container is healthy again. */
  undoneUnhealthy?: true;
}

/** What a restore that failed has left. `half`: some of the data is from the backup, and some is not, so that no writer may start on it. */
export type LeftBy = 'all as before' | 'data as before' | 'half' | 'restored';

export function leftBy(journal: RestoreJournal | null): LeftBy {
  if (journal?.stage === 'starting') return 'restored';
  if (journal?.swapBegan === true) return 'half';
  return journal?.undoneUnhealthy === true ? 'data as before' : 'all as before';
}

/** That of a restore which begins; its mark is the end of the id (a ULID), so that names are short and unique. */
export function firstRestoreJournal(id: string): RestoreJournal {
  const mark = id.slice(-10).toLowerCase();
  return {
    mark,
    stage: 'checking',
    manifest: null,
    interrupted: 0,
    stopped: [],
    kinds: {},
    shells: {},
    kept: [],
    swapBegan: false,
    cause: null,
  };
}

const DATA_IS_KEPT = ' The data of the new version is kept: ';

/** Of the step `restore` of an update: a sentence, then the commands that remove what is kept, one in each line. */
export function restoredDetail(createdAt: string, kept: readonly Kept[]): string {
  const restored = `The data of ${formatTime(createdAt)} is restored.`;
  if (kept.length === 0) return restored;
  const what = kept.map((each) => each.what).join('; ');
  return [`${restored}${DATA_IS_KEPT}${what}. To remove it:`, ...kept.map(({ remove }) => remove)].join('\n');
}

/** Its first sentence, where what is kept is listed elsewhere. */
export function withoutKept(sentence: string): string {
  return sentence.split(DATA_IS_KEPT)[0] ?? sentence;
}

/** One sentence for each container that uses the data of a restore and is not judged at its end; empty: all are. */
export function notJudged({ stopped, leftDown = [] }: Pick<RestoreJournal, 'stopped' | 'leftDown'>): string[] {
  const unhealthy = stopped.filter(({ well }) => !well);
  return [
    ...unhealthy.map(({ name }) => `${name} was started again, but not judged, because it was unhealthy before.`),
    ...leftDown.map((name) => `${name} was not started, because it did not run before.`),
  ];
}
