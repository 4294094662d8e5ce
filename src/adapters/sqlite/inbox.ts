import type { Inbox, Webhook } from '../../ports/store';
import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/id';
import { insertion } from './columns';
import type { Database } from './database';
import { recordsOf } from './records';

interface Row {
  id: string;
  received_at: string;
  status: Webhook['status'];
  body: string;
  outcome: string | null;
}

export function createInbox(database: Database, clock: Clock): Inbox {
  const { select, set } = recordsOf(database, { name: 'webhooks', clock, read: toWebhook });
  const accept = database.transaction((webhook: Accepted) => store(database, clock, judge(database, webhook)));
  return {
    accept: (webhook) => {
      const { id, status } = accept.immediate(webhook);
      return { id, duplicate: status === 'duplicate' };
    },
    reject: (body, reason) => store(database, clock, { body, status: 'rejected', outcome: reason }).id,
    pending: (limit) =>
      select(
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

type Accepted = Parameters<Inbox['accept']>[0];
type Stored = Pick<Webhook, 'body' | 'status' | 'outcome'> &
  Partial<Record<'image' | 'platform' | 'digest' | 'event', string>>;

/** A duplicate says the same as the last one of its image and platform. */
function judge(database: Database, { status: event, ...webhook }: Accepted): Stored {
  const last = database
    .prepare<[string, string], { id: string; digest: string; event: string }>(
      'SELECT id, digest, event FROM webhooks WHERE image = ? AND platform = ? ORDER BY id DESC LIMIT 1',
    )
    .get(webhook.image, webhook.platform);
  const same = last?.digest === webhook.digest && last.event === event;
  return same
    ? { ...webhook, event, status: 'duplicate', outcome: `the same as ${last.id}` }
    : { ...webhook, event, status: 'pending', outcome: null };
}

function store(database: Database, clock: Clock, webhook: Stored): Pick<Webhook, 'id' | 'status'> {
  const now = clock.now();
  const id = newId(now);
  const { clause, values } = insertion({ id, receivedAt: now.toISOString(), ...webhook }, new Set());
  database.prepare(`INSERT INTO webhooks ${clause}`).run(values);
  return { id, status: webhook.status };
}

function toWebhook(row: Row): Webhook {
  return { id: row.id, receivedAt: row.received_at, status: row.status, body: row.body, outcome: row.outcome };
}
