import type { WorkName } from '../../domain/due-work';
import { DAY_MS } from '../../domain/format';
import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/id';
import type { Incident, Incidents, Notice, Notices, Timers, TimerState } from '../../ports/timers';
import type { Database } from './database';

interface Row {
  name: WorkName;
  expression: string | null;
  time_zone: string | null;
  seen_until: string | null;
  due_at: string | null;
  done_at: string | null;
  outcome: string | null;
  trouble: string | null;
}

export function createTimers(database: Database, clock: Clock): Timers {
  const select = (clause: string, ...values: string[]): TimerState[] =>
    database
      .prepare<string[], Row>(`SELECT * FROM timers ${clause}`)
      .all(...values)
      .map(toState);
  const write = (sql: string, values: Record<string, string | null>): void => {
    database.prepare(sql).run(values);
  };
  return {
    get: (name) => select('WHERE name = ?', name)[0] ?? null,
    all: () => select('ORDER BY name'),
    keep: (name, { expression, timeZone }, seenUntil) => write(KEEP, { name, expression, timeZone, seenUntil }),
    forget: (name) => write('DELETE FROM timers WHERE name = @name', { name }),
    ring: (name, dueAt) => write(RING, { name, dueAt }),
    due: () =>
      select('WHERE due_at IS NOT NULL ORDER BY due_at, name').map(({ name, dueAt }) => ({
        name,
        dueAt: dueAt as string,
      })),
    done: (name, dueAt, { outcome, trouble }) =>
      write(DONE, { name, dueAt, outcome, trouble, now: clock.now().toISOString() }),
  };
}

const KEEP = `
  INSERT INTO timers (name, expression, time_zone, seen_until) VALUES (@name, @expression, @timeZone, @seenUntil)
  ON CONFLICT DO UPDATE SET expression = @expression, time_zone = @timeZone, seen_until = @seenUntil`;
const RING = 'INSERT INTO timers (name, due_at) VALUES (@name, @dueAt) ON CONFLICT DO UPDATE SET due_at = @dueAt';
const DONE = `
  UPDATE timers SET due_at = nullif(due_at, @dueAt), done_at = @now, outcome = @outcome, trouble = @trouble
  WHERE name = @name`;

function toState(row: Row): TimerState {
  const { expression, time_zone: timeZone, done_at: at, outcome, trouble } = row;
  return {
    name: row.name,
    schedule: expression === null || timeZone === null ? null : { expression, timeZone },
    seenUntil: row.seen_until,
    dueAt: row.due_at,
    last: at === null || outcome === null ? null : { at, outcome, trouble },
  };
}

export function createNotices(database: Database, clock: Clock): Notices {
  return {
    open: (kind, subject, words, figure) => {
      const values = { kind, subject, words, figure: figure ?? null, now: clock.now().toISOString() };
      const added = database
        .prepare(
          'INSERT OR IGNORE INTO notices (kind, subject, since, words, figure) VALUES (@kind, @subject, @now, @words, @figure)',
        )
        .run(values);
      if (added.changes === 1) return true;
      database
        .prepare('UPDATE notices SET words = @words, figure = @figure WHERE kind = @kind AND subject = @subject')
        .run(values);
      return false;
    },
    close: (kind, subject) => {
      database.prepare('DELETE FROM notices WHERE kind = ? AND subject = ?').run(kind, subject);
    },
    all: () =>
      database.prepare<[], Notice>('SELECT kind, subject, since, words, figure FROM notices ORDER BY since').all(),
  };
}

/** More than a person reads; older ones are in the log. */
const KEPT = 200;

export function createIncidents(database: Database, clock: Clock): Incidents {
  return {
    add: ({ container, words }) => {
      const at = clock.now();
      database
        .prepare('INSERT INTO incidents (id, at, container, words) VALUES (?, ?, ?, ?)')
        .run(newId(at), at.toISOString(), container, words);
      database
        .prepare('DELETE FROM incidents WHERE id NOT IN (SELECT id FROM incidents ORDER BY id DESC LIMIT ?)')
        .run(KEPT);
    },
    recent: (limit) =>
      database
        .prepare<[number], Incident>('SELECT at, container, words FROM incidents ORDER BY id DESC LIMIT ?')
        .all(limit),
  };
}

/** Ends the short waits of a clock that was ahead. What an operator has been shown a date of stays: windows, soaks, what is kept. */
export function endWaits(database: Database, clock: Clock): void {
  const now = clock.now();
  // A failed renewal is retried after a day.
  const at = { now: now.toISOString(), tomorrow: new Date(now.getTime() + DAY_MS).toISOString() };
  const statements = [
    `UPDATE outbox SET next_attempt_at = @now WHERE status = 'pending' AND next_attempt_at > @now`,
    `UPDATE channel_deliveries SET next_attempt_at = @now WHERE status = 'pending' AND next_attempt_at > @now`,
    `UPDATE webhooks SET waits_until = @now WHERE status = 'pending' AND waits_until > @now`,
    `UPDATE updates SET hold = json_set(hold, '$.until', @now) WHERE status = 'queued' AND hold ->> '$.until' > @now`,
    `UPDATE soaks SET look_at = @now WHERE status <> 'ended' AND look_at > @now`,
    `UPDATE renewals SET due_at = @now WHERE status = 'queued' AND due_at > @tomorrow`,
    // An alarm that came too early is the last one of its certificate.
    'DELETE FROM certificate_alarms WHERE at > @now',
  ];
  database.transaction(() => {
    for (const sql of statements) database.prepare(sql).run(at);
  })();
}
