import type { Failure } from '../../domain/errors';
import type { Journal } from '../../domain/journal';
import type { Plan } from '../../domain/plan/plan';
import type { Approval, Step, Update } from '../../domain/update';
import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/id';
import type { NewUpdate, UpdateFilter, Updates } from '../../ports/store';
import { fromJson, toJson } from './columns';
import type { Database } from './database';
import { recordsOf } from './records';
import { createSteps } from './steps';

interface Row {
  id: string;
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
}

const JSON_FIELDS = new Set(['approval', 'error']);

type Query = (where: string, ...values: (string | number)[]) => Update[];

export function createUpdates(database: Database, clock: Clock): Updates {
  const steps = createSteps(database, clock);
  const read = (row: Row): Update => fromRow(row, steps.of(row.id));
  const { select, get, change } = recordsOf(database, 'updates', { read, json: JSON_FIELDS });
  const query: Query = (where, ...values) => select(`WHERE ${where}`, ...values);

  return {
    ...steps.methods,
    ...approvalColumns(database, clock, query),
    get,

    insert: (update) => {
      const now = clock.now();
      const id = newId(now);
      insertRow(database, id, now.toISOString(), update);
      return get(id) as Update;
    },

    list: (filter) => listPage(query, filter),

    openFor: (container) =>
      query(`container = ? AND status IN ('awaiting_approval', 'queued', 'running') ORDER BY id`, container),

    nextQueued: () => query(`status = 'queued' ORDER BY policy <> 'automatic', id LIMIT 1`)[0] ?? null,

    withStatus: (status) => query('status = ? ORDER BY id', status),

    change: (id, fields) => {
      const { from, to, ...others } = fields;
      return change(id, {
        ...others,
        ...(from === undefined ? {} : { fromReference: from?.reference ?? null, fromDigest: from?.digest ?? null }),
        ...(to === undefined ? {} : { toReference: to.reference, toDigest: to.digest }),
      });
    },

    journal: (id) =>
      fromJson<Journal>(
        database.prepare<[string], { journal: string | null }>('SELECT journal FROM updates WHERE id = ?').get(id)
          ?.journal ?? null,
      ),

    saveJournal: (id, journal) => {
      database.prepare('UPDATE updates SET journal = ? WHERE id = ?').run(JSON.stringify(journal), id);
    },

    countByStatus: () =>
      Object.fromEntries(
        database
          .prepare<[], { status: string; count: number }>(
            'SELECT status, count(*) AS count FROM updates GROUP BY status',
          )
          .all()
          .map(({ status, count }) => [status, count]),
      ),
  };
}

/** What belongs to the approval of an update beside its row: the plan that was offered, the decision, the reminder. */
function approvalColumns(
  database: Database,
  clock: Clock,
  query: Query,
): Pick<Updates, 'decide' | 'plan' | 'savePlan' | 'toRemindOf' | 'reminded'> {
  return {
    decide: (id, { status, reason, now }) => {
      const decided = database
        .prepare(
          `UPDATE updates SET status = @status, reason = @reason, finished_at = iif(@status = 'declined', @now, NULL),
             approval = json_set(approval, '$.status', iif(@status = 'queued', 'approved', 'declined'), '$.decidedAt', @now)
           WHERE id = @id AND status = 'awaiting_approval' AND approval ->> '$.expiresAt' > @now`,
        )
        .run({ id, status, reason, now });
      return decided.changes === 1 ? (query('id = ?', id)[0] ?? null) : null;
    },
    plan: (id) =>
      fromJson<Plan>(
        database.prepare<[string], { plan: string | null }>('SELECT plan FROM updates WHERE id = ?').get(id)?.plan ??
          null,
      ),
    savePlan: (id, plan) => {
      database.prepare('UPDATE updates SET plan = ? WHERE id = ?').run(JSON.stringify(plan), id);
    },
    toRemindOf: (before) =>
      query(
        `status = 'awaiting_approval' AND reminded_at IS NULL AND approval ->> '$.expiresAt' < ? ORDER BY id`,
        before,
      ),
    reminded: (id) => {
      database.prepare('UPDATE updates SET reminded_at = ? WHERE id = ?').run(clock.now().toISOString(), id);
    },
  };
}

function insertRow(database: Database, id: string, createdAt: string, update: NewUpdate): void {
  database
    .prepare(
      `INSERT INTO updates (id, container, project, service, policy, status, reason, source, from_reference, from_digest,
         to_reference, to_digest, created_at, finished_at, approval, error, follow_up)
       VALUES (@id, @container, @project, @service, @policy, @status, @reason, @source, @fromReference, @fromDigest,
         @toReference, @toDigest, @createdAt, @finishedAt, @approval, @error, @followUp)`,
    )
    .run({
      id,
      createdAt,
      container: update.container,
      project: update.project,
      service: update.service,
      policy: update.policy,
      status: update.status,
      reason: update.reason,
      source: update.source,
      fromReference: update.from?.reference ?? null,
      fromDigest: update.from?.digest ?? null,
      toReference: update.to.reference,
      toDigest: update.to.digest,
      finishedAt: update.finishedAt ?? null,
      approval: toJson(update.approval),
      error: toJson(update.error ?? null),
      followUp: update.followUp,
    });
}

function listPage(query: Query, filter: UpdateFilter): ReturnType<Updates['list']> {
  const conditions: [string, string | undefined][] = [
    ['status = ?', filter.status],
    ['container = ?', filter.container],
    ['id < ?', filter.cursor],
  ];
  const given = conditions.filter((condition): condition is [string, string] => condition[1] !== undefined);
  const where = ['1 = 1', ...given.map(([clause]) => clause)].join(' AND ');
  const found = query(`${where} ORDER BY id DESC LIMIT ?`, ...given.map(([, value]) => value), filter.limit + 1);
  const updates = found.slice(0, filter.limit);
  return { updates, next: found.length > filter.limit ? (updates.at(-1)?.id ?? null) : null };
}

function fromRow(row: Row, steps: Step[]): Update {
  return {
    id: row.id,
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
  };
}
