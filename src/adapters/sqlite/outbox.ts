import type { NewMail, Outbox, OutboxMail } from '../../ports/store';
import type { Clock } from '../../lib/clock';
import type { Database } from './database';
import { enrol } from './channel-deliveries';
import { recordsOf, type Records } from './records/records';

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
  const insert = ({ notice = null, mailed = true, ...mail }: NewMail, nextAttemptAt: string): string =>
    database.transaction(() => {
      const { kind, updateId, subject, html, text } = mail;
      const flags = { mailed: Number(mailed), calm: Number(notice?.topic === 'successes') };
      const fields = { kind, updateId, subject, html, text, notice: notice && JSON.stringify(notice), ...flags };
      const { id } = add({ ...fields, status: 'pending', nextAttemptAt });
      enrol(database, id);
      return id;
    })();
  const tried = (id: string, assigned: string, ...values: string[]): void =>
    records.set(id, `attempts = attempts + 1, ${assigned}`, ...values);
  return {
    add: (mail) => insert(mail, now()),
    hold: insert,
    about: (container, kinds, since) =>
      select(
        `WHERE created_at > ? AND kind IN (SELECT value FROM json_each(?))
         AND update_id IN (SELECT id FROM updates WHERE container = ?) ORDER BY id DESC`,
        ...[since, JSON.stringify(kinds), container],
      ),
    withdraw: (id) =>
      void database
        .prepare(`DELETE FROM outbox WHERE id = ? AND status = 'pending' AND attempts = 0 AND next_attempt_at > ?`)
        .run(id, now()),
    due: (at, { digest } = { digest: false }) =>
      select(
        `WHERE status = 'pending' AND mailed = 1 AND calm <= ? AND next_attempt_at <= ? ORDER BY id LIMIT 100`,
        ...[digest ? 0 : 1, at],
      ),
    ...createDigests(records, now),
    sent: (id) => tried(id, `status = 'sent', sent_at = ?, next_attempt_at = NULL, last_error = NULL`, now()),
    deferred: (id, error, nextAttemptAt) => tried(id, 'last_error = ?, next_attempt_at = ?', error, nextAttemptAt),
    refused: (id, error) => tried(id, `status = 'refused', last_error = ?, next_attempt_at = NULL`, error),
    retryRefused: () =>
      database.prepare(`UPDATE outbox SET status = 'pending', next_attempt_at = ? WHERE status = 'refused'`).run(now())
        .changes,
    state: () => ({
      ...counted(database, now()),
      lastError:
        select(`WHERE last_error IS NOT NULL AND status <> 'sent' ORDER BY id DESC LIMIT 1`)[0]?.lastError ?? null,
    }),
    recent: (limit) => select('WHERE mailed = 1 ORDER BY id DESC LIMIT ?', limit),
  };
}

/** Pending for the digest. */
function createDigests(
  { select, set }: Records<OutboxMail>,
  now: () => string,
): Pick<Outbox, 'forDigest' | 'digested'> {
  return {
    forDigest: (since) =>
      select(
        `WHERE status = 'pending' AND attempts = 0 AND next_attempt_at <= ?
         AND ((mailed = 1 AND calm = 1) OR (mailed = 0 AND created_at > ?)) ORDER BY id`,
        ...[now(), since],
      ),
    digested: (ids) => {
      for (const id of ids) set(id, `status = 'sent', sent_at = ?, next_attempt_at = NULL`, now());
    },
  };
}

type Counted = Omit<ReturnType<Outbox['state']>, 'lastError'>;

/** One that is held has not been tried, and its time has not come: it is not late. */
function counted(database: Database, now: string): Counted {
  const late = `status = 'pending' AND mailed = 1 AND (attempts > 0 OR next_attempt_at <= @now)`;
  const counts = `SELECT count(*) FILTER (WHERE ${late}) AS pending,
      min(created_at) FILTER (WHERE ${late}) AS oldestPendingAt,
      count(*) FILTER (WHERE status = 'refused') AS refused
    FROM outbox`;
  return database.prepare<[{ now: string }], Counted>(counts).get({ now }) as Counted;
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
