import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/id';
import type { Incident, Incidents } from '../../ports/timers';
import type { Database } from './database';

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
