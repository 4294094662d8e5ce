/** The kinds of objects in the catalog of a database, in the order in which differences are reported. */
export const OBJECT_KINDS = [
  'schema',
  'table',
  'column',
  'view',
  'type',
  'index',
  'constraint',
  'function',
  'trigger',
  'sequence',
  'extension',
] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** All objects of one kind: how many, a hash over all, and each by name with a hash of its own; `names` null: too many. */
export interface ObjectsOfKind {
  count: number;
  hash: string;
  names: Record<string, string> | null;
}

/** The content of a small table in which an application keeps which migrations it has made. */
export interface MigrationTable {
  /** Null: more than are read. */
  rows: number | null;
  hash: string | null;
  /** What its newest row says, such as `114` or `0042_add_note`; null: it has none. */
  last: string | null;
}

/** What an update can change in one database: its catalog, and what its migration tables say. */
export interface DatabaseFingerprint {
  /** Name of the container of its server. */
  server: string;
  database: string;
  objects: Partial<Record<ObjectKind, ObjectsOfKind>>;
  migrations: Record<string, MigrationTable>;
}

/** Of every database of a backup set, as far as each could be read. */
export interface DataFingerprint {
  /** Addressed by id, for the second reading. */
  servers: DatabaseServer[];
  databases: DatabaseFingerprint[];
  unread: Unread[];
}

export interface DatabaseServer {
  id: string;
  name: string;
}

/** `what`: a server (`server db`) or a database (`database app of db`); `why` for a person. */
export interface Unread {
  what: string;
  why: string;
}

/** What differs between two fingerprints, as text. `unread`: what could not be read before or after, so that nothing is known of it. */
export interface DataChange {
  changes: string[];
  /** Databases that are new (`database app of db`); left out: none. */
  created?: string[];
  unread: Unread[];
}

export function serverTitle(name: string): string {
  return `server ${name}`;
}

export function databaseTitle({ server, database }: Pick<DatabaseFingerprint, 'server' | 'database'>): string {
  return `database ${database} of ${server}`;
}
