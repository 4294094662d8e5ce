import { folderOf } from '../backups/backup-set';
import type { BackupRecord } from '../domain/backups/backup';
import { PilotError } from '../domain/errors';

/** Key of the folder that a backup's objects lie in. Throws `restore_refused` for a record that names none. */
export function folderToRestore(record: Pick<BackupRecord, 'items' | 'id'>): string {
  const folder = folderOf(record);
  if (folder === null) throw new PilotError('restore_refused', `The record of backup ${record.id} names no object.`);
  return folder;
}
