import type { BackupRecord } from '../../domain/backups/backup';
import type { DataChange } from '../../domain/data/data-fingerprint';
import { hasReplaced, type Journal, type NewData } from '../../domain/journal';
import type { OwnStop, Step, StepName, Update } from '../../domain/update';
import { type Block, paragraph, type Tone } from '../letter/letter';
import { nameOf } from './passages/passages';

/** The steps of the way back. */
export const UNDOING: readonly StepName[] = ['rollback', 'rollback_health_check', 'restore', 'restore_health_check'];

/** The beginning of a mail about an update that failed. */
export interface FailureText {
  subject: string;
  tone: Tone;
  word: string;
  heading: string;
  opening: Block[];
  labels: { from: string; to: string };
}

export type TakenBackup = Pick<BackupRecord, 'id' | 'updateId' | 'status' | 'url'> | null;

/** At the beginning of a heading. */
export function titleOf(update: Update): string {
  return update.kind === 'service' ? `The service ${nameOf(update)}` : nameOf(update);
}

/** The step of the way back that failed last. */
export function failedOnWayBack({ steps }: Pick<Update, 'steps'>): Step | undefined {
  return steps.findLast(({ name, status }) => status === 'failed' && UNDOING.includes(name));
}

/** What mail and page say of the end of an update beyond its row. */
export interface Seen {
  /** It was rolled back without ever stopping the old container: a handover failed while both ran. */
  servedOn: boolean;
  /** Whether the old version was replaced, or may have been; else it is untouched. */
  replaced: boolean;
  /** What the new version changed in the databases of its set; null: it can change none, or was not started. */
  dataChange: DataChange | null;
  /** The data directory of a new PostgreSQL major that clients may have written to before the rollback; null: there is none. */
  newData: NewData | null;
  /** Names of the containers that were stopped, or services that were scaled to 0, for the backup, whatever became of it. */
  stopped: readonly string[];
  /** Whether the container itself was one of them. */
  ownStop: OwnStop | null;
  /** Names of the services that stay at 0 replicas, since their data is only partly restored. */
  leftAtZero: readonly string[];
  /** It failed in its soak, and the operator chose the data from before the update. */
  backupWasChosen: boolean;
  /** After an external change, whether a container could be started; null: one ran all the time. */
  broughtBack: Journal['broughtBack'] | null;
}

/** Of an update without a journal: as far as its steps say. */
export function seenInSteps(update: Pick<Update, 'steps'>): Seen {
  return {
    servedOn: false,
    replaced: hasReplaced(update, null),
    dataChange: null,
    newData: null,
    stopped: [],
    ownStop: null,
    leftAtZero: [],
    backupWasChosen: false,
    broughtBack: null,
  };
}

/** What was to be updated had been removed. */
export function isGone({ error }: Pick<Update, 'error'>): boolean {
  return error?.code === 'container_not_found' || error?.code === 'service_not_found';
}

export function noLongerThere(update: Update): FailureText {
  const name = nameOf(update);
  return {
    subject: `update aborted, the ${update.kind} no longer exists – please check`,
    tone: 'attention',
    word: 'Failed, nothing changed',
    heading: `The update of ${name} failed before anything was changed`,
    opening: [
      paragraph(
        `The ${update.kind} ${name} no longer exists, so the update was aborted. diun-pilot did not remove it.`,
      ),
    ],
    labels: { from: 'Previous version', to: 'Planned version' },
  };
}
