import type { Refusal, Refusals } from '../../ports/store';
import type { Database } from './database';

interface Row {
  container: string;
  digest: string;
  why: Refusal['why'];
  update_id: string;
  at: string;
}

export function createRefusals(database: Database): Refusals {
  return {
    add: (refusal) => {
      database
        .prepare(
          `INSERT OR REPLACE INTO refusals (container, digest, why, update_id, at)
           VALUES (@container, @digest, @why, @updateId, @at)`,
        )
        .run(refusal);
    },
    find: (container, digest) => {
      const row = database
        .prepare<[string, string], Row>('SELECT * FROM refusals WHERE container = ? AND digest = ?')
        .get(container, digest);
      return row ? toRefusal(row) : null;
    },
    remove: (container, digest) => {
      database.prepare('DELETE FROM refusals WHERE container = ? AND digest = ?').run(container, digest);
    },
    all: () => database.prepare<[], Row>('SELECT * FROM refusals ORDER BY at DESC').all().map(toRefusal),
  };
}

function toRefusal(row: Row): Refusal {
  return { container: row.container, digest: row.digest, why: row.why, updateId: row.update_id, at: row.at };
}
