import type { Outbox, OutboxMail } from '../../ports/store';
import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/id';
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
  const now = (): string => clock.now().toISOString();
  const { select } = recordsOf(database, 'outbox', { read: toMail });

  return {
    add: (mail) => {
      const id = newId(clock.now());
      database
        .prepare(
          `INSERT INTO outbox (id, kind, update_id, created_at, subject, html, text, status, next_attempt_at)
           VALUES (@id, @kind, @updateId, @now, @subject, @html, @text, 'pending', @now)`,
        )
        .run({ ...mail, id, now: now() });
      return id;
    },

    due: (at) => select(`WHERE status = 'pending' AND next_attempt_at <= ? ORDER BY id LIMIT 100`, at),

    sent: (id) => {
      database
        .prepare(
          `UPDATE outbox SET status = 'sent', sent_at = ?, attempts = attempts + 1, next_attempt_at = NULL, last_error = NULL WHERE id = ?`,
        )
        .run(now(), id);
    },

    deferred: (id, error, nextAttemptAt) => {
      database
        .prepare('UPDATE outbox SET attempts = attempts + 1, last_error = ?, next_attempt_at = ? WHERE id = ?')
        .run(error, nextAttemptAt, id);
    },

    refused: (id, error) => {
      database
        .prepare(
          `UPDATE outbox SET status = 'refused', attempts = attempts + 1, last_error = ?, next_attempt_at = NULL WHERE id = ?`,
        )
        .run(error, id);
    },

    retryRefused: () =>
      database.prepare(`UPDATE outbox SET status = 'pending', next_attempt_at = ? WHERE status = 'refused'`).run(now())
        .changes,

    state: () => ({
      ...(database
        .prepare<[], { pending: number; oldestPendingAt: string | null; refused: number }>(
          `SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
             min(created_at) FILTER (WHERE status = 'pending') AS oldestPendingAt,
             count(*) FILTER (WHERE status = 'refused') AS refused FROM outbox`,
        )
        .get() as { pending: number; oldestPendingAt: string | null; refused: number }),
      lastError:
        select(`WHERE last_error IS NOT NULL AND status <> 'sent' ORDER BY id DESC LIMIT 1`)[0]?.lastError ?? null,
    }),

    recent: (limit) => select('ORDER BY id DESC LIMIT ?', limit),
  };
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
