import type { CertificateSeen } from '../../domain/certificates/certificate';
import type { Failure } from '../../domain/errors';
import type { RenewalRecord } from '../../domain/certificates/renewal';
import type { Clock } from '../../lib/clock';
import type { Renewals } from '../../ports/renewals';
import { fromJson } from './records/columns';
import type { Database } from './database';
import { recordsOf } from './records/records';

interface Row {
  id: string;
  reason: RenewalRecord['reason'];
  status: RenewalRecord['status'];
  outcome: RenewalRecord['outcome'];
  detail: string | null;
  created_at: string;
  due_at: string;
  started_at: string | null;
  finished_at: string | null;
  before: string | null;
  after: string | null;
  error: string | null;
}

const JSON_FIELDS = new Set(['before', 'after', 'error']);

export function createRenewals(database: Database, clock: Clock): Renewals {
  const records = recordsOf(database, { name: 'renewals', clock, read: toRecord, json: JSON_FIELDS });
  const { select, get, add, change } = records;
  return {
    get,
    change,
    insert: ({ reason, dueAt }) => add({ reason, dueAt, status: 'queued' }),
    queued: () => select(`WHERE status = 'queued' ORDER BY due_at, id LIMIT 1`)[0] ?? null,
    running: () => select(`WHERE status = 'running' ORDER BY id LIMIT 1`)[0] ?? null,
    list: (limit) => select('ORDER BY id DESC LIMIT ?', limit),
    lastFinished: () =>
      select(`WHERE status IN ('succeeded', 'failed') ORDER BY finished_at DESC, id DESC LIMIT 1`)[0] ?? null,
  };
}

function toRecord(row: Row): RenewalRecord {
  return {
    id: row.id,
    reason: row.reason,
    status: row.status,
    outcome: row.outcome,
    detail: row.detail,
    createdAt: row.created_at,
    dueAt: row.due_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    before: fromJson<CertificateSeen[]>(row.before),
    after: fromJson<CertificateSeen[]>(row.after),
    error: fromJson<Failure>(row.error),
  };
}
