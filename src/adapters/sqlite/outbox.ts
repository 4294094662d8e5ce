import type { Outbox, OutboxMail } from '../../ports/store';
import type { Clock } from '../../lib/clock';
import type { Database } from './database';
import { recordsOf } from './records';

interface Row {
  id: string;
  kind: string;
  update_id: string | null;
  created_at: string;
  subject: string;
  html: string;
  text: string;
  status: OutboxMail['status'];
  attempts: number;
  next_attempt_at: string | null;
  sent_at: string | null;
  last_error: string | null;
}

export function createOutbox(database: Database, clock: Clock): Outbox {
  const records = recordsOf<Row, OutboxMail>(database, { name: 'outbox', clock, read: toMail });
  const { select, add } = records;
  const now = (): string => clock.now().toISOString();
  const tried = (id: string, assigned: string, ...values: string[]): void =>
    records.set(id, `attempts = attempts + 1, ${assigned}`, ...values);
  return {
    add: ({ kind, updateId, subject, html, text }) =>
      add({ kind, updateId, subject, html, text, status: 'pending', nextAttemptAt: now() }).id,
    due: (at) => select(`WHERE status = 'pending' AND next_attempt_at <= ? ORDER BY id LIMIT 100`, at),
    sent: (id) => tried(id, `status = 'sent', sent_at = ?, next_attempt_at = NULL, last_error = NULL`, now()),
    deferred: (id, error, nextAttemptAt) => tried(id, 'last_error = ?, next_attempt_at = ?', error, nextAttemptAt),
    refused: (id, error) => tried(id, `status = 'refused', last_error = ?, next_attempt_at = NULL`, error),
    retryRefused: () =>
      database.prepare(`UPDATE outbox SET status = 'pending', next_attempt_at = ? WHERE status = 'refused'`).run(now())
        .changes,
    state: () => ({
      ...counted(database),
      lastError:
        select(`WHERE last_error IS NOT NULL AND status <> 'sent' ORDER BY id DESC LIMIT 1`)[0]?.lastError ?? null,
    }),
    recent: (limit) => select('ORDER BY id DESC LIMIT ?', limit),
  };
}

type Counted = Omit<ReturnType<Outbox['state']>, 'lastError'>;

function counted(database: Database): Counted {
  const counts = `SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
      min(created_at) FILTER (WHERE status = 'pending') AS oldestPendingAt,
      count(*) FILTER (WHERE status = 'refused') AS refused
    FROM outbox`;
  return database.prepare<[], Counted>(counts).get() as Counted;
}

function toMail(row: Row): OutboxMail {
  return {
    id: row.id,
    kind: row.kind,
    updateId: row.update_id,
    createdAt: row.created_at,
    subject: row.subject,
    html: row.html,
    text: row.text,
    status: row.status,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
    sentAt: row.sent_at,
    lastError: row.last_error,
  };
}
