import type { Step, StepName } from '../../domain/update';
import { STEP_NAMES } from '../../domain/update';
import type { Updates } from '../../ports/store';
import type { Clock } from '../../lib/clock';
import type { Database } from './database';

interface Row {
  name: StepName;
  status: Step['status'];
  started_at: string;
  finished_at: string | null;
  detail: string | null;
}

export interface Steps {
  of(updateId: string): Step[];
  methods: Pick<Updates, 'beginStep' | 'endStep' | 'stepDetail'>;
}

/** The journal that people read: one row for each step of an update. */
export function createSteps(database: Database, clock: Clock): Steps {
  const now = (): string => clock.now().toISOString();
  return {
    of: (updateId) =>
      database
        .prepare<[string], Row>('SELECT * FROM steps WHERE update_id = ?')
        .all(updateId)
        .sort((a, b) => STEP_NAMES.indexOf(a.name) - STEP_NAMES.indexOf(b.name))
        .map((row) => ({
          name: row.name,
          status: row.status,
          startedAt: row.started_at,
          finishedAt: row.finished_at,
          detail: row.detail,
        })),

    methods: {
      beginStep: (id, name) => {
        database
          .prepare(
            `INSERT INTO steps (update_id, name, status, started_at) VALUES (?, ?, 'running', ?)
             ON CONFLICT DO UPDATE SET status = 'running', started_at = excluded.started_at, finished_at = NULL, detail = NULL`,
          )
          .run(id, name, now());
      },

      endStep: (id, name, status, detail) => {
        database
          .prepare(
            `INSERT INTO steps (update_id, name, status, started_at, finished_at, detail) VALUES (@id, @name, @status, @now, @now, @detail)
             ON CONFLICT DO UPDATE SET status = excluded.status, finished_at = excluded.finished_at, detail = excluded.detail`,
          )
          .run({ id, name, status, detail, now: now() });
      },

      stepDetail: (id, name, detail) => {
        database.prepare('UPDATE steps SET detail = ? WHERE update_id = ? AND name = ?').run(detail, id, name);
      },
    },
  };
}
