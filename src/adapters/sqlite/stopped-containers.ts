import type { Clock } from '../../lib/clock';
import type { RestartPolicy } from '../../domain/engine-inspect';
import type {
  Disarmed,
  DisarmedContainer,
  KeptContainer,
  KeptContainers,
  KeptData,
  KeptDataDirectory,
} from '../../ports/stopped-containers';
import type { Database } from './database';

interface DisarmedRow {
  container_id: string;
  name: string;
  policy: string;
  at: string;
}

export function createDisarmed(database: Database, clock: Clock): Disarmed {
  return {
    add: ({ containerId, name, policy }) => {
      database
        .prepare('INSERT OR REPLACE INTO disarmed_containers (container_id, name, policy, at) VALUES (?, ?, ?, ?)')
        .run(containerId, name, JSON.stringify(policy), clock.now().toISOString());
    },
    find: (containerId) => {
      const row = database
        .prepare<[string], DisarmedRow>('SELECT * FROM disarmed_containers WHERE container_id = ?')
        .get(containerId);
      return row ? toDisarmed(row) : null;
    },
    all: () =>
      database.prepare<[], DisarmedRow>('SELECT * FROM disarmed_containers ORDER BY at, name').all().map(toDisarmed),
    remove: (containerId) => {
      database.prepare('DELETE FROM disarmed_containers WHERE container_id = ?').run(containerId);
    },
  };
}

function toDisarmed({ container_id, name, policy, at }: DisarmedRow): DisarmedContainer {
  return { containerId: container_id, name, policy: JSON.parse(policy) as RestartPolicy, at };
}

interface KeptRow {
  container_id: string;
  container: string;
  name: string;
  update_id: string;
  reason: string;
  leftover: number;
  keep_until: string;
  blocks: string | null;
}

export function createKeptContainers(database: Database): KeptContainers {
  return {
    add: (kept) => {
      database
        .prepare(
          `INSERT OR REPLACE INTO kept_containers (container_id, container, name, update_id, reason, leftover, keep_until, blocks)
           VALUES (@containerId, @container, @name, @updateId, @reason, @leftover, @keepUntil, @blocks)`,
        )
        .run({ ...kept, leftover: kept.leftover ? 1 : 0, blocks: kept.blocks ?? null });
    },
    find: (containerId) => {
      const row = database
        .prepare<[string], KeptRow>('SELECT * FROM kept_containers WHERE container_id = ?')
        .get(containerId);
      return row ? toKept(row) : null;
    },
    all: () => database.prepare<[], KeptRow>('SELECT * FROM kept_containers ORDER BY keep_until').all().map(toKept),
    due: (now) =>
      database
        .prepare<[string], KeptRow>('SELECT * FROM kept_containers WHERE keep_until <= ? ORDER BY keep_until')
        .all(now)
        .map(toKept),
    retryLeftovers: (now) => {
      database.prepare('UPDATE kept_containers SET keep_until = ? WHERE leftover = 1').run(now);
    },
    remove: (containerId) => {
      database.prepare('DELETE FROM kept_containers WHERE container_id = ?').run(containerId);
    },
  };
}

function toKept(row: KeptRow): KeptContainer {
  const { container_id: containerId, update_id: updateId, keep_until: keepUntil, leftover, blocks, ...rest } = row;
  const kept = { ...rest, containerId, updateId, keepUntil, leftover: leftover === 1 };
  return blocks === null ? kept : { ...kept, blocks };
}

interface KeptDataRow {
  update_id: string;
  container: string;
  what: string;
  directory: string;
  folder: string;
  keep_until: string;
}

export function createKeptData(database: Database): KeptData {
  return {
    add: (kept) => {
      database
        .prepare(
          `INSERT OR REPLACE INTO kept_data (update_id, container, what, directory, folder, keep_until)
           VALUES (@updateId, @container, @what, @directory, @folder, @keepUntil)`,
        )
        .run(kept);
    },
    all: () => database.prepare<[], KeptDataRow>('SELECT * FROM kept_data ORDER BY keep_until').all().map(toKeptData),
    due: (now) =>
      database
        .prepare<[string], KeptDataRow>('SELECT * FROM kept_data WHERE keep_until <= ? ORDER BY keep_until')
        .all(now)
        .map(toKeptData),
    remove: (updateId) => {
      database.prepare('DELETE FROM kept_data WHERE update_id = ?').run(updateId);
    },
  };
}

function toKeptData({ update_id: updateId, keep_until: keepUntil, ...rest }: KeptDataRow): KeptDataDirectory {
  return { ...rest, updateId, keepUntil };
}
