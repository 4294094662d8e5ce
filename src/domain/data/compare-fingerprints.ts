import {
  type DatabaseFingerprint,
  databaseTitle,
  type DataChange,
  type DataFingerprint,
  type MigrationTable,
  OBJECT_KINDS,
  type ObjectKind,
  type ObjectsOfKind,
  serverTitle,
} from './data-fingerprint';

/** Names of one kind that a sentence holds; the rest is counted. */
const NAMED_AT_MOST = 3;
/** A stranger's name is cut to this. */
const LONGEST_NAME = 80;

const PLURALS: Record<ObjectKind, string> = {
  schema: 'schemas',
  table: 'tables',
  column: 'columns',
  view: 'views',
  type: 'types',
  index: 'indexes',
  constraint: 'constraints',
  function: 'functions',
  trigger: 'triggers',
  sequence: 'sequences',
  extension: 'extensions',
};

/** Says what an update has changed, one sentence for each database: the migration tables first, then the catalog. Pure. */
export function compareFingerprints(before: DataFingerprint, after: DataFingerprint): DataChange {
  const unread = [...before.unread, ...after.unread.filter(({ what }) => !isUnread(before, what))];
  const changes: string[] = [];
  for (const then of before.databases) {
    const now = after.databases.find((each) => databaseTitle(each) === databaseTitle(then));
    if (now === undefined) {
      if (!isUnread(after, databaseTitle(then)) && !isUnread(after, serverTitle(then.server)))
        changes.push(`${title(then)}: dropped`);
      continue;
    }
    const differences = [
      ...migrationChanges(then, now),
      ...OBJECT_KINDS.flatMap((kind) => kindChanges(kind, then, now)),
    ];
    if (differences.length > 0) changes.push(`${title(then)}: ${differences.join(', ')}`);
  }
  const created = after.databases.filter((now) => isCreated(before, now)).map(title);
  changes.push(...created.map((each) => `${each}: created`));
  return { changes, unread, ...(created.length > 0 && { created }) };
}

function isCreated(before: DataFingerprint, now: DatabaseFingerprint): boolean {
  const known = before.databases.some((each) => databaseTitle(each) === databaseTitle(now));
  return !known && !isUnread(before, databaseTitle(now)) && !isUnread(before, serverTitle(now.server));
}

/** Whether such changes name the database. */
export function changedIn(changes: readonly string[], database: DatabaseFingerprint): boolean {
  return changes.some((change) => change.startsWith(`${title(database)}: `));
}

function isUnread({ unread }: DataFingerprint, what: string): boolean {
  return unread.some((each) => each.what === what);
}

function title(database: DatabaseFingerprint): string {
  return databaseTitle({ server: database.server, database: shown(database.database) });
}

/** A table that is there only before or only after is reported as a table. */
function migrationChanges(before: DatabaseFingerprint, after: DatabaseFingerprint): string[] {
  const both = Object.entries(before.migrations).filter(([name]) => Object.hasOwn(after.migrations, name));
  return both.flatMap(([name, was]) => {
    const change = contentChange(was, after.migrations[name] as MigrationTable);
    return change === null ? [] : [`${shown(name)} ${change}`];
  });
}

function contentChange(before: MigrationTable, after: MigrationTable): string | null {
  if (before.rows === after.rows && before.hash === after.hash) return null;
  if (before.last !== after.last) return `${shown(before.last ?? 'empty')} → ${shown(after.last ?? 'empty')}`;
  if (before.rows !== after.rows) return `${before.rows ?? 'many'} → ${after.rows ?? 'many'} rows`;
  return 'has other content';
}

/** What belongs to a table that was added or dropped as a whole is not counted again. */
function kindChanges(kind: ObjectKind, before: DatabaseFingerprint, after: DatabaseFingerprint): string[] {
  const then = before.objects[kind] ?? NONE;
  const now = after.objects[kind] ?? NONE;
  if (then.hash === now.hash && then.count === now.count) return [];
  if (then.names === null || now.names === null) return [`${PLURALS[kind]} changed (${then.count} → ${now.count})`];
  const [was, is] = [then.names, now.names];
  const added = missingIn(was, is);
  const dropped = missingIn(is, was);
  const altered = Object.keys(is).filter((name) => Object.hasOwn(was, name) && was[name] !== is[name]);
  if (added.length + dropped.length + altered.length === 0) return [`${PLURALS[kind]} changed`];
  return [
    ...counted(kind, withoutThoseOf(missingIn(tablesOf(before), tablesOf(after)), added), 'added'),
    ...counted(kind, withoutThoseOf(missingIn(tablesOf(after), tablesOf(before)), dropped), 'dropped'),
    ...counted(kind, altered, 'altered'),
  ];
}

type Names = Record<string, string>;

function missingIn(there: Names, names: Names): string[] {
  return Object.keys(names).filter((name) => !Object.hasOwn(there, name));
}

function tablesOf({ objects }: DatabaseFingerprint): Names {
  return objects.table?.names ?? {};
}

/** Columns, indexes, constraints and triggers are named `TABLE.NAME`. */
function withoutThoseOf(tables: string[], names: string[]): string[] {
  return names.filter((name) => !tables.some((table) => name.startsWith(`${table}.`)));
}

const NONE: ObjectsOfKind = { count: 0, hash: '', names: {} };

/** `3 tables added (a, b, c)`. */
function counted(kind: ObjectKind, names: string[], what: string): string[] {
  if (names.length === 0) return [];
  const first = names.toSorted().slice(0, NAMED_AT_MOST).map(shown);
  const more = names.length > first.length ? ', …' : '';
  return [`${names.length} ${names.length === 1 ? kind : PLURALS[kind]} ${what} (${first.join(', ')}${more})`];
}

/** Names and values are written by strangers: one line, without control characters, of bounded length. */
function shown(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ').trim();
  return line.length <= LONGEST_NAME ? line : `${line.slice(0, LONGEST_NAME - 1)}…`;
}

const LONGEST_WHY = 200;

/** `database app of db: schema_version 114 → 135, 3 tables added (…)`, for each database that changed. */
export function changesOf({ changes }: DataChange): string {
  return changes.join('; ');
}

/** The new version is known to have changed the data. */
export function hasChanged(change: DataChange | null | undefined): boolean {
  return (change?.changes.length ?? 0) > 0;
}

/** What is not known of a change, as one sentence; null: all was read. */
export function unknownChange({ unread }: DataChange): string | null {
  if (unread.length === 0) return null;
  const each = unread.map(({ what, why }) => `${oneLine(what)} (${oneLine(why)})`).join('; ');
  return `diun-pilot could not read whether the new version changed the data: ${each}.`;
}

/** Both as sentences, with a space before each; empty where nothing changed, or nothing was read. */
export function changeSentences(change: DataChange | undefined, verb: 'changed' | 'had changed' = 'changed'): string {
  if (change === undefined) return '';
  const changes = hasChanged(change) ? ` The new version ${verb} the data: ${changesOf(change)}.` : '';
  const unknown = unknownChange(change);
  return `${changes}${unknown === null ? '' : ` ${unknown}`}`;
}

/** Why the old version is not started yet in a rollback. */
export function notStartedText(change: DataChange | undefined): string {
  const changes = change === undefined ? '' : changesOf(change);
  return `The new version changed the data: ${changes}. The old version is not started on it; the backup of this update is restored first.`;
}

/** For the detail of a step, as a clause: what changed, that nothing did, or that it is not known. */
export function changeAsDetail(change: DataChange): string {
  const unknown = unknownChange(change);
  if (hasChanged(change)) {
    return `the new version changed the data: ${changesOf(change)}${unknown === null ? '' : `. ${unknown.slice(0, -1)}`}`;
  }
  return unknown?.slice(0, -1) ?? 'the schema of its databases is unchanged';
}

function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\s]+/gu, ' ').trim();
  return line.length <= LONGEST_WHY ? line : `${line.slice(0, LONGEST_WHY - 1)}…`;
}
