import type { Clock } from '../../lib/clock';
import type { Database } from './database';

/** A failed renewal is retried after a day. */
const A_DAY_MS = 86_400_000;

/** Ends the short waits of a clock that was ahead. What an operator has been shown a date of stays: windows, soaks, what is kept. */
export function endWaits(database: Database, clock: Clock): void {
  const now = clock.now();
  const at = { now: now.toISOString(), tomorrow: new Date(now.getTime() + A_DAY_MS).toISOString() };
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
