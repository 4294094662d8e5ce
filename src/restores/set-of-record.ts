import type { BackupRecord } from '../domain/backup';
import { PilotError } from '../domain/errors';

/** Key of the folder that a backup's objects lie in. */
export function folderOf({ items, id }: Pick<BackupRecord, 'items' | 'id'>): string {
  const [first] = items;
  if (first === undefined) throw new PilotError('restore_refused', `The record of backup ${id} names no object.`);
  return first.key.slice(0, first.key.lastIndexOf('/'));
}
