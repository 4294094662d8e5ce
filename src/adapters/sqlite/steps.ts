import { type Step, STEP_NAMES, type StepName } from '../../domain/update';
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
  return {
    of: (updateId) =>
      database
        .prepare<[string], Row>('SELECT * FROM steps WHERE update_id = ?')
        .all(updateId)
        .sort((a, b) => STEP_NAMES.indexOf(a.name) - STEP_NAMES.indexOf(b.name))
        .map(toStep),
    methods: createMethods(database, clock),
  };
}

function createMethods(database: Database, clock: Clock): Steps['methods'] {
  const write = (sql: string, values: Record<string, string | null>): void => {
    database.prepare(sql).run({ ...values, now: clock.now().toISOString() });
  };
  return {
    beginStep: (id, name) =>
      write(
        `INSERT INTO steps (update_id, name, status, started_at) VALUES (@id, @name, 'running', @now)
         ON CONFLICT DO UPDATE SET status = 'running', started_at = @now, finished_at = NULL, detail = NULL`,
        { id, name },
      ),
    endStep: (id, name, status, detail) =>
      write(
        `INSERT INTO steps (update_id, name, status, started_at, finished_at, detail) VALUES (@id, @name, @status, @now, @now, @detail)
         ON CONFLICT DO UPDATE SET status = @status, finished_at = @now, detail = @detail`,
        { id, name, status, detail },
      ),
    stepDetail: (id, name, detail) => {
      database.prepare('UPDATE steps SET detail = ? WHERE update_id = ? AND name = ?').run(detail, id, name);
    },
  };
}

function toStep(row: Row): Step {
  return {
    name: row.name,
    status: row.status,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    detail: row.detail,
  };
}
