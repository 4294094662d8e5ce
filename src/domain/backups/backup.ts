import type { Failure } from '../errors';
import type { Container } from '../container';
import { byCodeUnits } from '../text/compare';

/** What a backup set holds, as its manifest says. The manifest is written last: a set without one is not a backup. */
export interface BackupManifest {
  format: 1;
  id: string;
  project: string | null;
  /** ISO 8601. */
  createdAt: string;
  reason: BackupReason;
  updateId: string | null;
  /** Whether the application was stopped while its files were read, so that rows and files belong together. */
  quiesced: boolean;
  items: BackupItem[];
}

/** When the data was read: what was written later is not in it. ISO 8601. */
export function takenAt({ startedAt, createdAt }: Pick<BackupRecord, 'startedAt' | 'createdAt'>): string {
  return startedAt ?? createdAt;
}

/** Who requested it; `update`: it precedes one. */
export type BackupReason = 'update' | 'operator' | 'schedule';

/** For a sentence. `container`: where it is restored, if not where it was taken. */
export function titleOfItem({ kind, name, container }: Pick<BackupItem, 'kind' | 'name' | 'container'>): string {
  return kind === 'globals' ? `the roles of ${container}` : `${kind} ${name} of ${container}`;
}

/** One object of a set. */
export interface BackupItem {
  /** Name of the container that it was read from. */
  container: string;
  /** Compose service of the container, by which another stack's is found. */
  service?: string | null;
  image: { reference: string; imageId: string };
  /** `database`: one `pg_dump -Fc`; `globals`: roles and tablespaces as SQL; `files`: one tar of one path. */
  kind: 'database' | 'globals' | 'files';
  /** Name of the database, or the path inside the container. */
  name: string;
  /** Key in the storage. */
  key: string;
  /** As stored. */
  bytes: number;
  /** Of the stored bytes, hex. */
  sha256: string;
  compression: 'gzip' | 'none';
  /** For a database: properties that its dump does not contain and `createdb` needs. */
  database?: DatabaseProperties | null;
  /** What reading it back showed, such as `812 entries` or `pg_restore read it to its end`. */
  verified: string;
}

/** All that there are on a database, as `aclexplode` names them. */
export const DATABASE_PRIVILEGES = ['CREATE', 'CONNECT', 'TEMPORARY'] as const;
export type DatabasePrivilege = (typeof DATABASE_PRIVILEGES)[number];

/** What a dump does not tell of its database: owner, encoding, locale, comment, settings and grants (pg_database). */
export interface DatabaseProperties {
  owner: string;
  encoding: string;
  collate: string;
  ctype: string;
  /** `c` libc, `i` ICU, `b` builtin; null before PostgreSQL 15. */
  provider: string | null;
  /** Of ICU and builtin. */
  locale: string | null;
  /** Of ICU. */
  rules: string | null;
  /** Left out: of a version of diun-pilot that did not keep it. */
  comment?: string | null | undefined;
  connectionLimit: number;
  /** `ALTER DATABASE … SET`, with a role `ALTER ROLE … IN DATABASE … SET`; entries as the catalog has them, `name=value`. */
  settings: { role: string | null; config: string[] }[] | null;
  /** Null: the defaults. Grantee null: PUBLIC. */
  grants: { grantee: string | null; privilege: DatabasePrivilege; grantable: boolean }[] | null;
  /** Owner of schema public, which no dump of 14 or older holds; null: it was dropped, which no dump holds. Left out: not known. */
  ownerOfPublic?: string | null | undefined;
}

/** A backup that ended, in brief: for pictures. */
export interface PastBackup {
  project: string | null;
  /** For a set outside any compose project. */
  container: string | null;
  status: 'succeeded' | 'failed';
  /** ISO 8601. */
  finishedAt: string;
  /** From its start to the end of its check; null: it was not started. */
  seconds: number | null;
  bytes: number | null;
}

/** The record of one backup, also of one that failed. */
export interface BackupRecord {
  id: string;
  project: string | null;
  /** For a set outside any compose project: the one container. */
  container: string | null;
  reason: BackupReason;
  updateId: string | null;
  /** `pruned`: it succeeded once, and is no longer kept; nothing of it can be restored. */
  status: 'queued' | 'running' | 'succeeded' | 'failed' | 'pruned';
  /** When it was requested; this and the following times are ISO 8601, null until then. */
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  /** Of its folder, for people; null: nothing of it is in the storage. */
  url: string | null;
  /** Of all its objects as stored. */
  bytes: number | null;
  verifiedAt: string | null;
  /** As in the manifest. */
  quiesced: boolean;
  items: BackupItem[];
  error: Failure | null;
  /** When and why it was removed, as text; null: it was not. */
  pruned: { at: string; because: string } | null;
  /** The newest verdict of a restore drill; null: none was made. */
  drill: DrillVerdict | null;
}

/**
 * Whether a backup has the data as this very update found it, with all writers stopped. One that an update uses again was taken
 * before another: writers have run since. Pure.
 */
export function isStateBefore(
  backup: Pick<BackupRecord, 'quiesced' | 'updateId'> | null,
  { id }: { id: string },
): boolean {
  return backup !== null && backup.quiesced && backup.updateId === id;
}

/** Whose data belongs together: a compose project, or for a container outside any project that container alone. */
export interface BackupPlace {
  project: string | null;
  /** Only for a container outside any project. */
  container: string | null;
}

export function backupPlaceOf(container: Pick<Container, 'project' | 'name'>): BackupPlace {
  return container.project === null
    ? { project: null, container: container.name }
    : { project: container.project, container: null };
}

/** The containers whose data is backed up together, databases first: rows are read before the files they speak of. */
export function membersOf(place: BackupPlace, containers: readonly Container[]): Container[] {
  return containers
    .filter((container) => container.labels.backup !== null && samePlace(backupPlaceOf(container), place))
    .sort((a, b) => rank(a) - rank(b) || byCodeUnits(a.name, b.name));
}

export function samePlace(a: BackupPlace, b: BackupPlace): boolean {
  return a.project === b.project && a.container === b.container;
}

/** The key of a place; it distinguishes a project from a container of the same name. */
export function keyOfPlace(place: BackupPlace): string {
  return place.project === null ? `container ${place.container}` : `project ${place.project}`;
}

/** The name of the place, for people and for keys. */
export function scopeName(place: BackupPlace): string {
  return place.project ?? place.container ?? 'unnamed';
}

export function isServer({ labels }: Container): boolean {
  return labels.backup?.kind === 'postgres';
}

function rank(container: Container): number {
  return container.labels.backup?.kind === 'postgres' ? 0 : 1;
}

/**
 * What a restore drill of a backup came to. `passed`: every database was restored into a server of its own, every file
 * read to its end. `failed`: it was not, so it cannot be relied on. `skipped`: it could not be tried, which says nothing of it.
 */
export interface DrillVerdict {
  status: 'passed' | 'failed' | 'skipped';
  /** When it ended; ISO 8601. */
  at: string;
  /** What was restored and counted, or why it did not pass. */
  words: string;
}

/** A drill that cannot be tried, with the reason. */
export class NotTried extends Error {}
