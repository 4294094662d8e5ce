import type { Failure } from '../../domain/errors';
import type { Kept, RestoreJournal, RestoreRecord } from '../../domain/restore';
import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/id';
import type { Restores } from '../../ports/store';
import { fromJson } from './columns';
import type { Database } from './database';
import { recordsOf } from './records';

interface Row {
  id: string;
  backup_id: string;
  folder: string;
  url: string;
  target: string | null;
  update_id: string | null;
  status: RestoreRecord['status'];
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  detail: string | null;
  kept: string;
  error: string | null;
}

const JSON_FIELDS = new Set(['kept', 'error']);

export function createRestores(database: Database, clock: Clock): Restores {
  const { select, get, change } = recordsOf(database, 'restores', { read: toRecord, json: JSON_FIELDS });
  const open = (): RestoreRecord[] => select(`WHERE status IN ('queued', 'running') ORDER BY status <> 'running', id`);

  return {
    get,
    change,
    insert: (record) => {
      const now = clock.now();
      const id = newId(now);
      database
        .prepare(
          `INSERT INTO restores (id, backup_id, folder, url, target, update_id, status, created_at)
           VALUES (@id, @backupId, @folder, @url, @target, @updateId, 'queued', @now)`,
        )
        .run({ ...record, id, now: now.toISOString() });
      return get(id) as RestoreRecord;
    },
    next: () => open()[0] ?? null,
    open,
    ofUpdate: (updateId) => select('WHERE update_id = ? ORDER BY id DESC', updateId),
    list: (limit) => select('ORDER BY id DESC LIMIT ?', limit),
    journal: (id) =>
      fromJson<RestoreJournal>(
        database.prepare<[string], { journal: string | null }>('SELECT journal FROM restores WHERE id = ?').get(id)
          ?.journal ?? null,
      ),
    saveJournal: (id, journal) => {
      database.prepare('UPDATE restores SET journal = ? WHERE id = ?').run(JSON.stringify(journal), id);
    },
  };
}

function toRecord(row: Row): RestoreRecord {
  return {
    id: row.id,
    backupId: row.backup_id,
    folder: row.folder,
    url: row.url,
    target: row.target,
    updateId: row.update_id,
    status: row.status,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    detail: row.detail,
    kept: fromJson<Kept[]>(row.kept) ?? [],
    error: fromJson<Failure>(row.error),
  };
}
