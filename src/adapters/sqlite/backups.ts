import type { BackupItem, BackupRecord, DrillVerdict, PastBackup } from '../../domain/backups/backup';
import type { Kept, RestoreJournal, RestoreRecord } from '../../domain/backups/restore';
import type { Failure } from '../../domain/errors';
import type { Clock } from '../../lib/clock';
import type { Audit } from '../../ports/audit';
import type { Backups, Restores } from '../../ports/store';
import { type Database, fromJson, type Records, recordsOf } from './database';

interface BackupRow {
  id: string;
  project: string | null;
  container: string | null;
  reason: BackupRecord['reason'];
  update_id: string | null;
  status: BackupRecord['status'];
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  url: string | null;
  bytes: number | null;
  verified_at: string | null;
  quiesced: number;
  items: string;
  error: string | null;
  pruned_at: string | null;
  pruned_because: string | null;
  drill: string | null;
}

const BACKUP_JSON = new Set(['items', 'error']);
const GOOD = `status = 'succeeded' AND pruned_at IS NULL`;
const LAST_DRILLS = `
  SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY project, container ORDER BY drill ->> 'at' DESC, id DESC) AS place
    FROM backups WHERE drill ->> 'status' IN ('passed', 'failed'))
  WHERE place = 1`;

export function createBackups(database: Database, clock: Clock): Backups {
  const records = recordsOf(database, { name: 'backups', clock, read: toBackup, json: BACKUP_JSON });
  const { select, get, add, change } = records;
  return {
    get,
    of: ({ backupId }) => (backupId === null ? null : get(backupId)),
    insert: ({ project, container, reason, updateId }) =>
      add({ project, container, reason, updateId, status: 'queued' }),
    change: (id, { quiesced, ...others }) =>
      change(id, quiesced === undefined ? others : { ...others, quiesced: Number(quiesced) }),
    nextQueued: () => select(`WHERE status = 'queued' AND update_id IS NULL ORDER BY id LIMIT 1`)[0] ?? null,
    running: () => select(`WHERE status = 'running' ORDER BY id`),
    list: (limit) => select('ORDER BY id DESC LIMIT ?', limit),
    past: pastOf(database),
    lastSucceeded: ({ project, container }) =>
      select(
        `WHERE ${GOOD} AND project IS ? AND container IS ? AND created_at <= ? ORDER BY id DESC LIMIT 1`,
        ...[project, container, clock.now().toISOString()],
      )[0] ?? null,
    good: () => select(`WHERE ${GOOD} ORDER BY id DESC`),
    ...createPruning(database, clock, records),
    ...createDrills(database, clock, records),
  };
}

/** By the index of the status, so that it reads no more rows than it shows. */
function pastOf(database: Database): Backups['past'] {
  const newest = ['succeeded', 'failed'].map(
    (status) =>
      `SELECT * FROM (SELECT id, project, container, status, started_at, finished_at, bytes FROM backups WHERE status = '${status}' ORDER BY id DESC LIMIT @limit)`,
  );
  const past = database.prepare<{ limit: number }, PastBackup>(`
    SELECT project, container, status, finished_at AS finishedAt, bytes,
      (julianday(finished_at) - julianday(started_at)) * 86400.0 AS seconds
    FROM (${newest.join(' UNION ALL ')}) WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT @limit`);
  return (limit) => past.all({ limit });
}

function createPruning(
  database: Database,
  clock: Clock,
  { select, set }: Records<BackupRecord>,
): Pick<Backups, 'prune' | 'toRemove' | 'objectsGone'> {
  const now = (): string => clock.now().toISOString();
  return {
    prune: (id, because) => {
      database
        .prepare('UPDATE backups SET pruned_at = ?, pruned_because = ? WHERE id = ? AND pruned_at IS NULL')
        .run(now(), because, id);
    },
    toRemove: () => select('WHERE pruned_at IS NOT NULL AND objects_gone_at IS NULL ORDER BY id'),
    objectsGone: (id) => set(id, 'objects_gone_at = ?, url = NULL', now()),
  };
}

type Drills = Pick<Backups, 'askDrill' | 'nextDrill' | 'beginDrill' | 'endDrill' | 'lastDrills'>;

function createDrills(database: Database, clock: Clock, { select, get, set }: Records<BackupRecord>): Drills {
  return {
    askDrill: (id) =>
      set(id, 'drill_asked_at = coalesce(drill_asked_at, ?), drill_tries = 0', clock.now().toISOString()),
    nextDrill: () => select('WHERE drill_asked_at IS NOT NULL ORDER BY drill_asked_at, id LIMIT 1')[0] ?? null,
    beginDrill: (id) => {
      set(id, 'drill_tries = drill_tries + 1');
      const tries = 'SELECT drill_tries AS tries FROM backups WHERE id = ?';
      return database.prepare<[string], { tries: number }>(tries).get(id)?.tries ?? 0;
    },
    endDrill: (id, verdict) => {
      set(id, 'drill = ?, drill_asked_at = NULL, drill_tries = 0', JSON.stringify(verdict));
      return get(id) as BackupRecord;
    },
    lastDrills: () => select(`WHERE id IN (${LAST_DRILLS}) ORDER BY id`) as ReturnType<Drills['lastDrills']>,
  };
}

function toBackup(row: BackupRow): BackupRecord {
  return {
    id: row.id,
    project: row.project,
    container: row.container,
    reason: row.reason,
    updateId: row.update_id,
    status: row.pruned_at === null ? row.status : 'pruned',
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    url: row.url,
    bytes: row.bytes,
    verifiedAt: row.verified_at,
    quiesced: row.quiesced === 1,
    items: fromJson<BackupItem[]>(row.items) ?? [],
    error: fromJson<Failure>(row.error),
    pruned: row.pruned_at === null ? null : { at: row.pruned_at, because: row.pruned_because ?? '' },
    drill: fromJson<DrillVerdict>(row.drill),
  };
}

interface RestoreRow {
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

const RESTORE_JSON = new Set(['kept', 'error']);

export function createRestores(database: Database, clock: Clock, audit: Audit): Restores {
  const records = recordsOf(database, { name: 'restores', clock, read: toRestore, json: RESTORE_JSON });
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
    withMark: (mark) => select('WHERE lower(substr(id, -10)) = ?', mark)[0] ?? null,
    next: () => open()[0] ?? null,
    open,
    since: ({ id, finishedAt }) =>
      select('WHERE update_id = ? OR finished_at IS NULL OR finished_at >= ? ORDER BY id DESC', id, finishedAt),
    list: (limit) => select('ORDER BY id DESC LIMIT ?', limit),
    journal: (id) => kept<RestoreJournal>(id, 'journal'),
    saveJournal: (id, journal) => keep(id, 'journal', journal),
  };
}

function recordChange(audit: Audit, { id, backupId, status, updateId, error }: RestoreRecord): void {
  const detail = { backup: backupId, status, update: updateId, error: error?.code ?? null };
  audit.append({ kind: 'restore', actor: 'diun-pilot', subject: id, detail });
}

function toRestore(row: RestoreRow): RestoreRecord {
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
