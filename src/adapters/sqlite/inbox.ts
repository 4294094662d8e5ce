import type { Inbox, Webhook } from '../../ports/store';
import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/id';
import type { Database } from './database';

interface Row {
  id: string;
  received_at: string;
  status: Webhook['status'];
  body: string;
  outcome: string | null;
}

export function createInbox(database: Database, clock: Clock): Inbox {
  const insert = database.prepare(
    `INSERT INTO webhooks (id, received_at, status, image, platform, digest, event, body, outcome)
     VALUES (@id, @receivedAt, @status, @image, @platform, @digest, @event, @body, @outcome)`,
  );
  const lastOfImage = database.prepare<[string, string], { id: string; digest: string; event: string }>(
    'SELECT id, digest, event FROM webhooks WHERE image = ? AND platform = ? ORDER BY id DESC LIMIT 1',
  );
  const store = (fields: Record<string, unknown>): string => {
    const now = clock.now();
    const id = newId(now);
    insert.run({
      id,
      receivedAt: now.toISOString(),
      image: null,
      platform: null,
      digest: null,
      event: null,
      outcome: null,
      ...fields,
    });
    return id;
  };

  const accept = database.transaction((webhook: Parameters<Inbox['accept']>[0]) => {
    const last = lastOfImage.get(webhook.image, webhook.platform);
    const duplicate = last !== undefined && last.digest === webhook.digest && last.event === webhook.status;
    const { status: event, ...fields } = webhook;
    const id = store({
      ...fields,
      event,
      status: duplicate ? 'duplicate' : 'pending',
      outcome: duplicate ? `the same as ${last.id}` : null,
    });
    return { id, duplicate };
  });

  return {
    accept: (webhook) => accept.immediate(webhook),

    reject: (body, reason) => store({ body, status: 'rejected', outcome: reason }),

    pending: (limit) =>
      database
        .prepare<[number], Row>(`SELECT * FROM webhooks WHERE status = 'pending' ORDER BY id LIMIT ?`)
        .all(limit)
        .map(toWebhook),

    handled: (id, outcome) => {
      database.prepare(`UPDATE webhooks SET status = 'handled', outcome = ? WHERE id = ?`).run(outcome, id);
    },

    lastHeardAt: () =>
      database.prepare<[], { received_at: string }>('SELECT received_at FROM webhooks ORDER BY id DESC LIMIT 1').get()
        ?.received_at ?? null,

    recent: (limit) =>
      database.prepare<[number], Row>('SELECT * FROM webhooks ORDER BY id DESC LIMIT ?').all(limit).map(toWebhook),

    prune: (before) =>
      database
        .prepare(
          `DELETE FROM webhooks WHERE status <> 'pending' AND received_at < ?
           AND id NOT IN (SELECT max(id) FROM webhooks WHERE image IS NOT NULL GROUP BY image, platform)`,
        )
        .run(before).changes,
  };
}

function toWebhook(row: Row): Webhook {
  return { id: row.id, receivedAt: row.received_at, status: row.status, body: row.body, outcome: row.outcome };
}
