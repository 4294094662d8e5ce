import type { Certificate, CertificateSeen, RenewalRecord } from '../../domain/certificates/certificate';
import type { Failure } from '../../domain/errors';
import type { Clock } from '../../lib/clock';
import type { Certificates, Renewals } from '../../ports/certificates';
import { type Database, fromJson, insertion, recordsOf } from './database';

type CertificateRow = Pick<CertificateSeen, 'name' | 'project' | 'server' | 'problem'> & {
  disk: string | null;
  served: string | null;
};

export function createCertificates(database: Database, clock: Clock): Certificates {
  return {
    list: () =>
      database
        .prepare<[], CertificateRow>(
          'SELECT name, project, server, disk, served, problem FROM certificates ORDER BY position',
        )
        .all()
        .map(toSeen),
    replace: (seen) => database.transaction(() => replaceAll(database, seen))(),
    alarmedAt: (fingerprint) =>
      database
        .prepare<[string], { threshold: number }>('SELECT threshold FROM certificate_alarms WHERE fingerprint = ?')
        .get(fingerprint)?.threshold ?? null,
    alarmed: (fingerprint, threshold) =>
      void database
        .prepare(
          `INSERT INTO certificate_alarms (fingerprint, threshold, at) VALUES (@fingerprint, @threshold, @at)
           ON CONFLICT (fingerprint) DO UPDATE SET threshold = @threshold, at = @at`,
        )
        .run({ fingerprint, threshold, at: clock.now().toISOString() }),
  };
}

function replaceAll(database: Database, seen: readonly CertificateSeen[]): void {
  database.prepare('DELETE FROM certificates').run();
  for (const { name, project, server, disk, served, problem } of seen) {
    const row = { name, project, server, disk, served, problem };
    const { clause, values } = insertion(row, new Set(['disk', 'served']));
    database.prepare(`INSERT INTO certificates ${clause}`).run(values);
  }
}

function toSeen(row: CertificateRow): CertificateSeen {
  return { ...row, disk: fromJson<Certificate>(row.disk), served: fromJson<Certificate>(row.served) };
}

interface RenewalRow {
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

function toRecord(row: RenewalRow): RenewalRecord {
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
