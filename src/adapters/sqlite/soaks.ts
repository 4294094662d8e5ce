import type { Soak } from '../../domain/soak/soak';
import type { Clock } from '../../lib/clock';
import type { Soaks } from '../../ports/soaks';
import { assignments, type Database } from './database';

interface Row {
  update_id: string;
  container: string;
  container_id: string;
  old_container_id: string;
  status: Soak['status'];
  started_at: string;
  until: string;
  look_at: string;
  restarts: number;
  holds_data: number;
  failure: string | null;
  failed_at: string | null;
  schema: Soak['schema'];
  schema_detail: string | null;
  decide_until: string | null;
  choice: Soak['choice'];
  outcome: string | null;
}

const NO_JSON: ReadonlySet<string> = new Set();

export function createSoaks(database: Database, clock: Clock): Soaks {
  const select = (clause: string, ...values: string[]): Soak[] =>
    database
      .prepare<string[], Row>(`SELECT * FROM soaks ${clause}`)
      .all(...values)
      .map(toSoak);
  const of = (updateId: string): Soak | null => select('WHERE update_id = ?', updateId)[0] ?? null;
  return {
    of,
    begin: (soak) => {
      database
        .prepare(
          `INSERT OR REPLACE INTO soaks
             (update_id, container, container_id, old_container_id, status, started_at, until, look_at, restarts, holds_data)
           VALUES (@updateId, @container, @containerId, @oldContainerId, 'watching', @now, @until, @now, @restarts, @holdsData)`,
        )
        .run({ ...soak, holdsData: Number(soak.holdsData), now: clock.now().toISOString() });
    },
    open: () => select(`WHERE status <> 'ended' ORDER BY update_id`),
    change: (updateId, { holdsData, ...fields }) => {
      const given = holdsData === undefined ? fields : { ...fields, holdsData: Number(holdsData) };
      const { clause, values } = assignments(given, NO_JSON);
      database.prepare(`UPDATE soaks SET ${clause} WHERE update_id = @updateId`).run({ ...values, updateId });
      return of(updateId) as Soak;
    },
  };
}

function toSoak(row: Row): Soak {
  return {
    updateId: row.update_id,
    container: row.container,
    containerId: row.container_id,
    oldContainerId: row.old_container_id,
    status: row.status,
    startedAt: row.started_at,
    until: row.until,
    lookAt: row.look_at,
    restarts: row.restarts,
    holdsData: row.holds_data === 1,
    failure: row.failure,
    failedAt: row.failed_at,
    schema: row.schema,
    schemaDetail: row.schema_detail,
    decideUntil: row.decide_until,
    choice: row.choice,
    outcome: row.outcome,
  };
}
