import type { Failure } from '../../domain/errors';
import type { Journal } from '../../domain/journal';
import type { NotesSummary } from '../../domain/notes/release-notes';
import {
  type Approval,
  awaySeconds,
  type Hold,
  type PastUpdate,
  type RunSeen,
  type Step,
  type Update,
  type Verdict,
} from '../../domain/update';
import type { Plan } from '../../domain/plan/plan';
import type { Rollout } from '../../domain/services/rollout';
import type { Signature } from '../../domain/signatures/signature';
import type { Clock } from '../../lib/clock';
import type { Audit } from '../../ports/audit';
import type { NewUpdate, RecordedDecision, UpdateFilter, Updates } from '../../ports/store';
import { type Database, fromJson, type Records, recordsOf } from './database';
import { createOtherUpdates } from './other-updates';
import { createSteps } from './steps';

interface Row {
  id: string;
  kind: Update['kind'];
  container: string | null;
  project: string | null;
  service: string | null;
  policy: Update['policy'];
  status: Update['status'];
  reason: string;
  source: Update['source'];
  from_reference: string | null;
  from_digest: string | null;
  to_reference: string;
  to_digest: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  approval: string | null;
  backup_id: string | null;
  error: string | null;
  follow_up: string | null;
  hold: string | null;
  not_before: string | null;
  in_window: number;
  notes: string | null;
  signature: string | null;
}

const JSON_FIELDS = new Set(['approval', 'error', 'hold', 'notes', 'signature']);

/** How many events that required nothing are kept, so that announcements alone cannot fill the disk. */
const MOST_IGNORED = 2_000;

export function createUpdates(database: Database, clock: Clock, audit: Audit): Updates {
  const steps = createSteps(database, clock);
  const forgetIgnored = database.prepare<[number]>(
    `DELETE FROM updates WHERE status = 'ignored' AND id NOT IN (SELECT update_id FROM steps) AND id <= (
       SELECT id FROM updates WHERE status = 'ignored' ORDER BY id DESC LIMIT 1 OFFSET ?)`,
  );
  const read = (row: Row): Update => fromRow(row, steps.of(row.id));
  const records = recordsOf(database, { name: 'updates', clock, read, json: JSON_FIELDS });
  const { select, get, add, change, kept, keep } = records;
  return {
    ...steps.methods,
    ...createApprovals(database, clock, records, audit),
    ...createPastUpdates(database),
    ...createLatest(records),
    get,
    insert: (update) => {
      const inserted = add(columnsOf(update));
      if (inserted.status === 'ignored') forgetIgnored.run(MOST_IGNORED);
      return inserted;
    },
    change: (id, fields) =>
      database.transaction(() => {
        const changed = change(id, columnsOf(fields));
        if (fields.status !== undefined) recordChange(audit, changed);
        return changed;
      })(),
    list: (filter) => listPage(records, filter),
    openFor: (container) =>
      select(`WHERE container = ? AND status IN ('awaiting_approval', 'queued', 'running') ORDER BY id`, container),
    nextQueued: () => {
      const now = clock.now().toISOString();
      const due = `status = 'queued' AND (hold IS NULL OR hold ->> '$.until' <= ?) AND (not_before IS NULL OR not_before <= ?)`;
      return select(`WHERE ${due} ORDER BY policy <> 'automatic', id LIMIT 1`, now, now)[0] ?? null;
    },
    withMark: (mark) => select('WHERE lower(substr(id, -10)) = ?', mark)[0] ?? null,
    withStatus: (status) => select('WHERE status = ? ORDER BY id', status),
    thatNeed: (backup) => select('WHERE id = ? OR backup_id = ? ORDER BY id', backup.updateId, backup.id),
    plan: (id) => kept<Plan>(id, 'plan'),
    savePlan: (id, plan) => keep(id, 'plan', plan),
    journal: (id) => kept<Journal>(id, 'journal'),
    saveJournal: (id, journal) => keep(id, 'journal', journal),
    rollout: (id) => kept<Rollout>(id, 'rollout'),
    saveRollout: (id, rollout) => keep(id, 'rollout', rollout),
    firstSeen: (repository, digest, now) => firstSeen(database, repository, digest, now),
    countByStatus: () => countByStatus(database),
  };
}

function createLatest({ select }: Records<Update>): Pick<Updates, 'latestOf' | 'lastReplacedOf'> {
  const oneOfEach = (containers: readonly string[], which: string): Map<string, Update> => {
    const found = select(`WHERE id IN (SELECT (${which}) FROM json_each(?) AS named)`, JSON.stringify(containers));
    return new Map(found.map((update) => [update.container ?? '', update]));
  };
  const ofOne = 'FROM updates WHERE container = named.value';
  const replaced = `status IN ('succeeded', 'rolled_back', 'rollback_failed')`;
  return {
    latestOf: (containers) => oneOfEach(containers, `SELECT max(id) ${ofOne}`),
    lastReplacedOf: (containers) =>
      oneOfEach(containers, `SELECT id ${ofOne} AND ${replaced} ORDER BY finished_at DESC, id DESC LIMIT 1`),
  };
}

/** Decisions of the operator, and reminders of them. */
function createApprovals(
  database: Database,
  clock: Clock,
  { select, get, set }: Records<Update>,
  audit: Audit,
): Pick<Updates, 'decide' | 'toRemindOf' | 'reminded'> {
  return {
    decide: (id, { inWindow, seen = null, ...decision }) => {
      const decided = database
        .prepare(
          `UPDATE updates SET status = @status, reason = @reason, finished_at = iif(@status = 'declined', @now, NULL),
             not_before = @notBefore, in_window = @inWindow,
             approval = json_set(approval, '$.status', iif(@status = 'queued', 'approved', 'declined'), '$.decidedAt', @now,
               '$.decidedBy', @by)
           WHERE id = @id AND status = 'awaiting_approval' AND approval ->> '$.expiresAt' > @now`,
        )
        .run({ id, ...decision, inWindow: Number(inWindow) });
      if (decided.changes !== 1) return null;
      const update = get(id) as Update;
      recordDecision(audit, update, decision.by, seen);
      return update;
    },
    toRemindOf: (before) =>
      select(
        `WHERE status = 'awaiting_approval' AND reminded_at IS NULL AND approval ->> '$.expiresAt' < ? ORDER BY id`,
        before,
      ),
    reminded: (id) => set(id, 'reminded_at = ?', clock.now().toISOString()),
  };
}

function firstSeen(database: Database, repository: string, digest: string, now: string): string {
  database.prepare('INSERT OR IGNORE INTO digests_seen VALUES (?, ?, ?)').run(repository, digest, now);
  const found = 'SELECT first_seen_at AS at FROM digests_seen WHERE repository = ? AND digest = ?';
  return database.prepare<[string, string], { at: string }>(found).get(repository, digest)?.at ?? now;
}

/** Every new state of an update, by diun-pilot itself; what is ignored is not recorded, since announcements cause it. */
function recordChange(audit: Audit, { id, container, status, to, error }: Update): void {
  if (status === 'ignored') return;
  const detail = { container, status, reference: to.reference, digest: to.digest, error: error?.code ?? null };
  audit.append({ kind: 'update', actor: 'diun-pilot', subject: id, detail });
}

function recordDecision(audit: Audit, update: Update, actor: string, seen: RecordedDecision['seen']): void {
  const { id, container, status, to, notBefore } = update;
  const detail = {
    ...{
      decision: status === 'declined' ? 'declined' : 'approved',
      container,
      reference: to.reference,
      digest: to.digest,
    },
    ...(notBefore === null ? {} : { notBefore }),
    ...(seen ?? {}),
  };
  audit.append({ kind: 'decision', actor, subject: id, detail });
}

/** An image is two columns. */
function columnsOf({ from, to, inWindow, ...others }: Partial<NewUpdate>): Record<string, unknown> {
  return {
    ...others,
    ...(inWindow === undefined ? {} : { inWindow: Number(inWindow) }),
    ...(from === undefined ? {} : { fromReference: from?.reference ?? null, fromDigest: from?.digest ?? null }),
    ...(to === undefined ? {} : { toReference: to.reference, toDigest: to.digest }),
  };
}

function countByStatus(database: Database): Record<string, number> {
  const counts = 'SELECT status, count(*) AS count FROM updates GROUP BY status';
  const rows = database.prepare<[], { status: string; count: number }>(counts).all();
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

function listPage({ select }: Records<Update>, filter: UpdateFilter): ReturnType<Updates['list']> {
  const conditions: [string, string | undefined][] = [
    ['status = ?', filter.status],
    ['container = ?', filter.container],
    ['id < ?', filter.cursor],
  ];
  const given = conditions.filter((condition): condition is [string, string] => condition[1] !== undefined);
  const where = ['1 = 1', ...given.map(([clause]) => clause)].join(' AND ');
  const found = select(`WHERE ${where} ORDER BY id DESC LIMIT ?`, ...given.map(([, value]) => value), filter.limit + 1);
  const updates = found.slice(0, filter.limit);
  return { updates, next: found.length > filter.limit ? (updates.at(-1)?.id ?? null) : null };
}

function fromRow(row: Row, steps: Step[]): Update {
  return {
    id: row.id,
    kind: row.kind,
    container: row.container,
    project: row.project,
    service: row.service,
    policy: row.policy,
    status: row.status,
    reason: row.reason,
    source: row.source,
    from: row.from_reference === null ? null : { reference: row.from_reference, digest: row.from_digest },
    to: { reference: row.to_reference, digest: row.to_digest },
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    approval: fromJson<Approval>(row.approval),
    backupId: row.backup_id,
    steps,
    error: fromJson<Failure>(row.error),
    followUp: row.follow_up,
    notBefore: row.not_before,
    inWindow: row.in_window === 1,
    hold: fromJson<Hold>(row.hold),
    notes: fromJson<NotesSummary>(row.notes),
    signature: fromJson<Signature>(row.signature),
  };
}

interface PastRow {
  id: string;
  container: string;
  reference: string;
  status: Verdict;
  finished_at: string;
  own_stop: number;
  stopped_at: string | null;
  served: number | null;
  steps: string;
}

const VERDICTS: readonly Verdict[] = ['succeeded', 'failed', 'rolled_back', 'rollback_failed'];

/** By the index of the status, so that it reads no more rows than it shows, however long the history is. */
const NEWEST = VERDICTS.map(
  (status) => `SELECT * FROM (SELECT id FROM updates WHERE status = '${status}' ORDER BY id DESC LIMIT @limit)`,
).join(' UNION ALL ');
const NEWEST_OF_ONE = `
  SELECT id FROM updates WHERE container = @container AND status IN (${VERDICTS.map((each) => `'${each}'`).join(', ')})
  ORDER BY id DESC LIMIT @limit`;

const past = (chosen: string): string => `
  SELECT u.id, u.container, u.to_reference AS reference, u.status, u.finished_at,
    EXISTS (SELECT 1 FROM json_each(coalesce(u.journal -> '$.stopped', u.rollout -> '$.scaled')) AS each
      WHERE each.value ->> '$.id' = u.journal ->> '$.oldContainerId'
         OR each.value ->> '$.serviceId' = u.rollout ->> '$.serviceId') AS own_stop,
    coalesce(u.journal ->> '$.stoppedAt', u.rollout ->> '$.scaledAt') AS stopped_at,
    iif(u.status = 'succeeded', u.journal ->> '$.handedOver', u.journal ->> '$.oldStopped' = 0) AS served,
    (SELECT json_group_array(json_object('name', name, 'status', status, 'startedAt', started_at, 'finishedAt', finished_at))
       FROM steps WHERE update_id = u.id) AS steps
  FROM updates u
  WHERE u.id IN (${chosen}) AND u.container IS NOT NULL AND u.finished_at IS NOT NULL
  ORDER BY u.id DESC LIMIT @limit`;

/** Updates that have ended. `past`, in brief: one query, whatever their number. */
function createPastUpdates(database: Database): Pick<Updates, 'past' | 'othersThatChanged'> {
  const ofAll = database.prepare<{ limit: number }, PastRow>(past(NEWEST));
  const ofOne = database.prepare<{ limit: number; container: string }, PastRow>(past(NEWEST_OF_ONE));
  return {
    ...createOtherUpdates(database),
    past: ({ container, limit }) =>
      (container === undefined ? ofAll.all({ limit }) : ofOne.all({ container, limit })).map(toPastUpdate),
  };
}

function toPastUpdate({ id, container, reference, status, finished_at, ...seen }: PastRow): PastUpdate {
  const run: RunSeen = {
    status,
    steps: JSON.parse(seen.steps) as RunSeen['steps'],
    ownStop: seen.own_stop === 1 ? { at: seen.stopped_at } : null,
    served: seen.served === 1,
  };
  return { id, container, reference, status, finishedAt: finished_at, awaySeconds: awaySeconds(run) };
}
