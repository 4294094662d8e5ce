import type { Failure } from '../../domain/errors';
import type { Kept, RestoreJournal, RestoreRecord } from '../../domain/backups/restore';
import type { Clock } from '../../lib/clock';
import type { Audit } from '../../ports/audit';
import type { Restores } from '../../ports/store';
import { fromJson } from './records/columns';
import type { Database } from './database';
import { recordsOf } from './records/records';

interface Row {
  id: string;
  backup_id: string;
  folder: string;
  url: string;
  target: string | null;
  update_id: string | null;
  trusted_manifest: string | null;
  status: RestoreRecord['status'];
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  detail: string | null;
  kept: string;
  error: string | null;
}

const JSON_FIELDS = new Set(['kept', 'error']);

export function createRestores(database: Database, clock: Clock, audit: Audit): Restores {
  const records = recordsOf(database, { name: 'restores', clock, read: toRecord, json: JSON_FIELDS });
  const { select, get, add, change, kept, keep } = records;
  const open = (): RestoreRecord[] => select(`WHERE status IN ('queued', 'running') ORDER BY status <> 'running', id`);
  return {
    get,
    change: (id, fields) =>
      database.transaction(() => {
        const changed = change(id, fields);
        if (fields.status !== undefined) recordChange(audit, changed);
        return changed;
      })(),
    insert: ({ backupId, folder, url, target, updateId, trustedManifest = null }) =>
      add({ backupId, folder, url, target, updateId, trustedManifest, status: 'queued' }),
    next: () => open()[0] ?? null,
    open,
    ofUpdate: (updateId) => select('WHERE update_id = ? ORDER BY id DESC', updateId),
    list: (limit) => select('ORDER BY id DESC LIMIT ?', limit),
    journal: (id) => kept<RestoreJournal>(id, 'journal'),
    saveJournal: (id, journal) => keep(id, 'journal', journal),
  };
}

function recordChange(audit: Audit, { id, backupId, status, updateId, error }: RestoreRecord): void {
  const detail = { backup: backupId, status, update: updateId, error: error?.code ?? null };
  audit.append({ kind: 'restore', actor: 'diun-pilot', subject: id, detail });
}

function toRecord(row: Row): RestoreRecord {
  return {
    id: row.id,
    backupId: row.backup_id,
    folder: row.folder,
    url: row.url,
    target: row.target,
    updateId: row.update_id,
    trustedManifest: row.trusted_manifest,
    status: row.status,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    detail: row.detail,
    kept: fromJson<Kept[]>(row.kept) ?? [],
    error: fromJson<Failure>(row.error),
  };
}
