import type { ChannelNotice, ChannelTarget } from '../../domain/channel-notice';
import type { Clock } from '../../lib/clock';
import type { Channels, NoticeDeliveries, NoticeToSend } from '../../ports/outbox';
import type { NewMail, Outbox, OutboxMail } from '../../ports/store';
import { type Database, type Records, recordsOf } from './database';

interface MailRow {
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
  const records = recordsOf<MailRow, OutboxMail>(database, { name: 'outbox', clock, read: toMail });
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
        `WHERE status = 'pending' AND mailed = 1 AND (calm <= ? OR attempts > 0) AND next_attempt_at <= ? ORDER BY id LIMIT 100`,
        ...[digest ? 0 : 1, at],
      ),
    ...createDigests(records, now),
    sent: (id) => tried(id, `status = 'sent', sent_at = ?, next_attempt_at = NULL, last_error = NULL`, now()),
    deferred: (id, error, nextAttemptAt) => tried(id, 'last_error = ?, next_attempt_at = ?', error, nextAttemptAt),
    refused: (id, error) => tried(id, `status = 'refused', last_error = ?, next_attempt_at = NULL`, error),
    retryRefused: () =>
      database.prepare(`UPDATE outbox SET status = 'pending', next_attempt_at = ? WHERE status = 'refused'`).run(now())
        .changes,
    ...createDelivered(database, records, now),
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
        `WHERE status = 'pending' AND attempts = 0
         AND ((mailed = 1 AND calm = 1) OR (mailed = 0 AND created_at > ?)) ORDER BY id`,
        since,
      ),
    digested: (ids) => {
      for (const id of ids) set(id, `status = 'sent', sent_at = ?, next_attempt_at = NULL`, now());
    },
  };
}

/** What is delivered by now, and what is not. */
function createDelivered(
  database: Database,
  { select }: Records<OutboxMail>,
  now: () => string,
): Pick<Outbox, 'state' | 'recent' | 'prune'> {
  return {
    state: () => ({
      ...counted(database, now()),
      lastError:
        select(`WHERE ${UNDELIVERED} AND last_error IS NOT NULL ORDER BY id DESC LIMIT 1`)[0]?.lastError ?? null,
    }),
    prune: (before) =>
      database
        .prepare(
          `DELETE FROM outbox WHERE created_at < ? AND (status = 'sent' OR mailed = 0)
           AND id NOT IN (SELECT mail_id FROM channel_deliveries WHERE status <> 'sent')`,
        )
        .run(before).changes,
    recent: (limit) => select('WHERE mailed = 1 ORDER BY id DESC LIMIT ?', limit),
  };
}

/** As its index has it, or each question scans every mail. */
const UNDELIVERED = `mailed = 1 AND status <> 'sent'`;

type Counted = Omit<ReturnType<Outbox['state']>, 'lastError'>;

/** One that is held, or waits for the digest, has not been tried and its time has not come: it is not late. */
function counted(database: Database, now: string): Counted {
  const late = `status = 'pending' AND (attempts > 0 OR (calm = 0 AND next_attempt_at <= @now))`;
  const counts = `SELECT count(*) FILTER (WHERE ${late}) AS pending,
      min(created_at) FILTER (WHERE ${late}) AS oldestPendingAt,
      count(*) FILTER (WHERE status = 'refused') AS refused
    FROM outbox WHERE ${UNDELIVERED}`;
  return database.prepare<[{ now: string }], Counted>(counts).get({ now }) as Counted;
}

function toMail(row: MailRow): OutboxMail {
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

interface DeliveryRow {
  mail_id: string;
  kind: string;
  update_id: string | null;
  created_at: string;
  attempts: number;
  notice: string;
}

/** The notices of each channel, and the state of each delivery. */
export function createChannels(database: Database, clock: Clock): Channels {
  return {
    use: (channels) => database.transaction(() => use(database, channels, clock.now().toISOString())).immediate(),
    of: (channel) => deliveriesOf(database, clock, channel),
  };
}

/** What is pending for a channel that is no longer set would be stale when it is set again. */
function use(database: Database, channels: readonly ChannelTarget[], now: string): number {
  const before = database.prepare<[], NamedChannel>('SELECT id, name FROM channels WHERE active = 1').all();
  database.prepare('UPDATE channels SET active = 0').run();
  const keep = database.prepare(
    `INSERT INTO channels (id, name, topics, active) VALUES (?, ?, ?, 1)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, topics = excluded.topics, active = 1`,
  );
  for (const { id, name, topics } of channels) keep.run(id, name, JSON.stringify(topics));
  for (const [from, to] of corrected(before, channels))
    database
      .prepare(
        `UPDATE OR IGNORE channel_deliveries SET channel = ?, status = 'pending', next_attempt_at = ?
         WHERE channel = ? AND status <> 'sent'`,
      )
      .run(to, now, from);
  return database
    .prepare(
      `DELETE FROM channel_deliveries WHERE status <> 'sent'
       AND channel IN (SELECT id FROM channels WHERE active = 0)`,
    )
    .run().changes;
}

type NamedChannel = Pick<ChannelTarget, 'id' | 'name'>;

/** Addresses that took the place of another one on the same host, as with a new token: what the old one refused is for the new one. */
function corrected(before: readonly NamedChannel[], after: readonly NamedChannel[]): [from: string, to: string][] {
  const gone = before.filter(({ id }) => after.every((each) => each.id !== id));
  const added = after.filter(({ id }) => before.every((each) => each.id !== id));
  return gone.flatMap(({ id, name }): [string, string][] => {
    const [next, ...others] = added.filter((each) => each.name === name);
    return next === undefined || others.length > 0 ? [] : [[id, next.id]];
  });
}

/** To be called in the transaction that wrote the mail. A notice is due when its mail is. */
function enrol(database: Database, mailId: string): void {
  database
    .prepare(
      `INSERT INTO channel_deliveries (mail_id, channel, status, next_attempt_at)
       SELECT outbox.id, channels.id, 'pending', outbox.next_attempt_at FROM outbox, channels
       WHERE outbox.id = ? AND outbox.notice IS NOT NULL AND channels.active = 1
         AND outbox.notice ->> 'topic' IN (SELECT value FROM json_each(channels.topics))`,
    )
    .run(mailId);
}

function deliveriesOf(database: Database, clock: Clock, channel: string): NoticeDeliveries {
  const tried = (id: string, assigned: string, ...values: string[]): void =>
    void database
      .prepare(`UPDATE channel_deliveries SET attempts = attempts + 1, ${assigned} WHERE mail_id = ? AND channel = ?`)
      .run(...values, id, channel);
  return {
    due: (at) => due(database, channel, at),
    sent: (id) =>
      tried(id, `status = 'sent', sent_at = ?, next_attempt_at = NULL, last_error = NULL`, clock.now().toISOString()),
    deferred: (id, error, nextAttemptAt) => tried(id, 'last_error = ?, next_attempt_at = ?', error, nextAttemptAt),
    refused: (id, error) => tried(id, `status = 'refused', last_error = ?, next_attempt_at = NULL`, error),
    retryRefused: () =>
      database
        .prepare(
          `UPDATE channel_deliveries SET status = 'pending', next_attempt_at = ? WHERE status = 'refused' AND channel = ?`,
        )
        .run(clock.now().toISOString(), channel).changes,
    state: () => stateOf(database, channel, clock.now().toISOString()),
  };
}

function due(database: Database, channel: string, at: string): NoticeToSend[] {
  return database
    .prepare<[string, string], DeliveryRow>(
      `SELECT d.mail_id, o.kind, o.update_id, o.created_at, d.attempts, o.notice
       FROM channel_deliveries d JOIN outbox o ON o.id = d.mail_id
       WHERE d.channel = ? AND d.status = 'pending' AND d.next_attempt_at <= ? ORDER BY d.mail_id LIMIT 100`,
    )
    .all(channel, at)
    .map((row) => ({
      id: row.mail_id,
      kind: row.kind,
      updateId: row.update_id,
      createdAt: row.created_at,
      attempts: row.attempts,
      notice: JSON.parse(row.notice) as ChannelNotice,
    }));
}

function stateOf(database: Database, channel: string, now: string): ReturnType<NoticeDeliveries['state']> {
  const late = `d.status = 'pending' AND (d.attempts > 0 OR d.next_attempt_at <= @now)`;
  return database
    .prepare<[{ channel: string; now: string }], ReturnType<NoticeDeliveries['state']>>(
      `SELECT count(*) FILTER (WHERE ${late}) AS pending,
         min(o.created_at) FILTER (WHERE ${late}) AS oldestPendingAt,
         count(*) FILTER (WHERE d.status = 'refused') AS refused,
         (SELECT last_error FROM channel_deliveries WHERE channel = @channel AND last_error IS NOT NULL
           AND status <> 'sent' ORDER BY mail_id DESC LIMIT 1) AS lastError
       FROM channel_deliveries d JOIN outbox o ON o.id = d.mail_id WHERE d.channel = @channel AND d.status <> 'sent'`,
    )
    .get({ channel, now }) as ReturnType<NoticeDeliveries['state']>;
}
