import type { HeldMail, Rehearsal } from '../../domain/rehearsal/rehearsal';
import type { Clock } from '../../lib/clock';
import type { Rehearsals } from '../../ports/rehearsals';
import { type Database, fromJson, recordsOf } from './database';

interface Row {
  id: string;
  update_id: string;
  digest: string | null;
  status: Rehearsal['status'];
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  seconds: number | null;
  detail: string | null;
  mail: string | null;
  requested_by: 'link' | null;
  tries: number;
}

export function createRehearsals(database: Database, clock: Clock): Rehearsals {
  const table = { name: 'rehearsals', clock, read: toRehearsal, json: new Set(['mail']) };
  const { select, get, add, change, set } = recordsOf(database, table);
  const triesOf = database.prepare<[string], { tries: number }>('SELECT tries FROM rehearsals WHERE id = ?');
  return {
    get,
    insert: ({ updateId, digest, mail, requestedBy }) => add({ updateId, digest, mail, requestedBy }),
    takeOver: (id) => set(id, 'requested_by = NULL'),
    of: (updateId) => select('WHERE update_id = ? ORDER BY id DESC LIMIT 1', updateId)[0] ?? null,
    next: () => select(`WHERE status IN ('queued', 'running') ORDER BY status <> 'running', id LIMIT 1`)[0] ?? null,
    begin: (id) => {
      const began = `status = 'running', started_at = ?, tries = tries + 1, detail = NULL`;
      set(id, began, clock.now().toISOString());
      return triesOf.get(id)?.tries ?? 0;
    },
    requeue: (id) => set(id, `status = 'queued', tries = max(tries - 1, 0), detail = NULL`),
    progress: (id, detail) => set(id, 'detail = ?', detail),
    end: (id, verdict) => change(id, { ...verdict, finishedAt: clock.now().toISOString() }),
    withMail: () => select('WHERE mail IS NOT NULL ORDER BY id') as (Rehearsal & { mail: HeldMail })[],
    mailDone: (id) => set(id, 'mail = NULL'),
    countByStatus: () =>
      Object.fromEntries(
        database
          .prepare<[], { status: string; count: number }>(
            `SELECT status, count(*) AS count FROM rehearsals WHERE finished_at IS NOT NULL GROUP BY status`,
          )
          .all()
          .map(({ status, count }) => [status, count]),
      ),
  };
}

function toRehearsal(row: Row): Rehearsal {
  return {
    id: row.id,
    updateId: row.update_id,
    digest: row.digest,
    status: row.status,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    seconds: row.seconds,
    detail: row.detail,
    requestedBy: row.requested_by,
    mail: fromJson<HeldMail>(row.mail),
  };
}
