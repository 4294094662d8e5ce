import { posix } from 'node:path';
import { artifactFolder } from '../backups/restore-artifact-names';
import type { Journal, MajorJournal } from '../journal';

/** The data directory of a new PostgreSQL major after a rollback: what clients have written since the load is only there. */
export interface NewData {
  from: number;
  to: number;
  container: string;
  /** As the container sees it. */
  path: string;
}

/** Of the new data directory while it is not in its place, below the old one. */
export function stagedFolder({ mark, directory }: Pick<MajorJournal, 'mark' | 'directory'>): string {
  return `${artifactFolder('restore', mark, 1)}/${posix.basename(directory)}`;
}

/** Null: no client has reached the new server, or its data directory is in its place. */
export function newDataOf({ major, containerName }: Pick<Journal, 'major' | 'containerName'>): NewData | null {
  if (major?.loaded !== true || major.moved) return null;
  const { from, to, directory } = major;
  return { from, to, container: containerName, path: `${directory}/${stagedFolder(major)}` };
}

export function newDataSentence({ container, from, to, path }: NewData): string {
  return `${container} has the data of PostgreSQL ${from} from before the update. Data written after the load into PostgreSQL ${to} is missing; it is only in the data directory of PostgreSQL ${to}: ${path}.`;
}
