import { PilotError } from '../../domain/errors';
import type { ImageEvent } from '../../domain/event';
import type { AcceptedWebhook, Inbox, Webhook } from '../../ports/store';
import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/id';
import { type Database, insertion, recordsOf } from './database';

interface Row {
  id: string;
  received_at: string;
  status: Webhook['status'];
  body: string;
  outcome: string | null;
}

/** A row that was accepted has its event in columns. */
interface AcceptedRow extends Row {
  image: string;
  digest: string;
  event: ImageEvent['status'];
  platform: string;
  release_notes: string | null;
}

/** What a valid token may make this table hold, and what is left of it once that is passed. A row costs more than its body. */
const MOST_BYTES = 32 * 1024 * 1024;
const LEFT_BYTES = 24 * 1024 * 1024;
const ROW_BYTES = 512;
/** Accepted while nothing can be decided, as when the engine does not answer. */
const MOST_PENDING = 1_000;

export function createInbox(database: Database, clock: Clock): Inbox {
  const makeRoom = createRoom(database);
  const { select, set } = recordsOf(database, { name: 'webhooks', clock, read: toWebhook });
  const accepted = recordsOf(database, { name: 'webhooks', clock, read: toAccepted });
  const accept = database.transaction((webhook: Accepted) => {
    const stored = store(database, clock, judgeWebhook(database, webhook));
    makeRoom(webhook.body);
    return stored;
  });
  return {
    accept: (webhook) => {
      const { id, status } = accept.immediate(webhook);
      return { id, duplicate: status === 'duplicate' };
    },
    reject: (body, reason) => {
      const { id } = store(database, clock, { body, status: 'rejected', outcome: reason });
      makeRoom(body);
      return id;
    },
    pending: (limit) =>
      accepted.select(
        `WHERE status = 'pending' AND (waits_until IS NULL OR waits_until <= ?) ORDER BY id LIMIT ?`,
        clock.now().toISOString(),
        limit,
      ),
    wait: (id, until, why) => set(id, 'waits_until = ?, outcome = ?', until, why),
    handled: (id, outcome) => set(id, `status = 'handled', outcome = ?`, outcome),
    lastHeardAt: () =>
      database.prepare<[], { received_at: string }>('SELECT received_at FROM webhooks ORDER BY id DESC LIMIT 1').get()
        ?.received_at ?? null,
    recent: (limit) => select('ORDER BY id DESC LIMIT ?', limit),
    prune: (before) =>
      database
        .prepare(
          `DELETE FROM webhooks WHERE status <> 'pending' AND received_at < ?
           AND id NOT IN (SELECT max(id) FROM webhooks WHERE image IS NOT NULL GROUP BY image, platform)`,
        )
        .run(before).changes,
  };
}

/** Deletes the oldest rows once all of them are larger than the bound. A webhook without a decision is never deleted. */
function createRoom(database: Database): (body: string) => void {
  const size = `sum(length(CAST(body AS BLOB)) + length(coalesce(outcome, '')) + ${ROW_BYTES})`;
  const all = database.prepare<[], { bytes: number | null }>(`SELECT ${size} AS bytes FROM webhooks`);
  const forget = database.prepare<[number]>(
    `DELETE FROM webhooks WHERE status <> 'pending' AND id <= (
       SELECT id FROM (SELECT id, ${size} OVER (ORDER BY id DESC) AS newer FROM webhooks)
       WHERE newer > ? ORDER BY id DESC LIMIT 1)`,
  );
  const measure = (): number => all.get()?.bytes ?? 0;
  let bytes = measure();
  return (body) => {
    bytes += Buffer.byteLength(body) + 2 * ROW_BYTES;
    if (bytes <= MOST_BYTES) return;
    if (measure() > MOST_BYTES) forget.run(LEFT_BYTES);
    bytes = measure();
  };
}

type Accepted = Parameters<Inbox['accept']>[0];
type Stored = Pick<Webhook, 'body' | 'status' | 'outcome'> & {
  image?: string;
  digest?: string;
  event?: string;
  platform?: string;
  releaseNotes?: string | null;
};

/** A duplicate says the same as the last one of its image and platform. */
function judgeWebhook(database: Database, { body, event }: Accepted): Stored {
  const { target, status, platform, releaseNotes } = event;
  const webhook = { body, image: target.reference, digest: target.digest, event: status, platform, releaseNotes };
  const last = database
    .prepare<[string, string], { id: string; digest: string; event: string }>(
      'SELECT id, digest, event FROM webhooks WHERE image = ? AND platform = ? ORDER BY id DESC LIMIT 1',
    )
    .get(webhook.image, webhook.platform);
  const same = last?.digest === webhook.digest && last.event === webhook.event;
  if (!same) refuseIfFull(database);
  return same
    ? { ...webhook, status: 'duplicate', outcome: `the same as ${last.id}` }
    : { ...webhook, status: 'pending', outcome: null };
}

function refuseIfFull(database: Database): void {
  const pending = `SELECT count(*) AS pending FROM webhooks WHERE status = 'pending'`;
  if ((database.prepare<[], { pending: number }>(pending).get()?.pending ?? 0) < MOST_PENDING) return;
  throw new PilotError(
    'too_many_requests',
    `${MOST_PENDING} notifications are already pending, so this one was not stored. Reconcile finds the update later.`,
  );
}

function store(database: Database, clock: Clock, webhook: Stored): Pick<Webhook, 'id' | 'status'> {
  const now = clock.now();
  const id = newId(now);
  const { clause, values } = insertion({ id, receivedAt: now.toISOString(), ...webhook }, new Set());
  database.prepare(`INSERT INTO webhooks ${clause}`).run(values);
  return { id, status: webhook.status };
}

function toAccepted(row: AcceptedRow): AcceptedWebhook {
  const { image: reference, digest, event: status, platform, release_notes: releaseNotes } = row;
  return { ...toWebhook(row), event: { target: { reference, digest }, status, platform, releaseNotes } };
}

function toWebhook(row: Row): Webhook {
  return { id: row.id, receivedAt: row.received_at, status: row.status, body: row.body, outcome: row.outcome };
}
