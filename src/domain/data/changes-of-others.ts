import { changedIn, compareFingerprints } from './compare-fingerprints';
import { type DatabaseFingerprint, databaseTitle, type DataChange, type DataFingerprint } from './data-fingerprint';

/** Another update that changed databases: what they were before it, and its changes as `compareFingerprints` words them. */
export interface OtherUpdate {
  container: string;
  before: DataFingerprint;
  changes: string[];
}

/** Those of the same set: they have a database server in common. */
export function ofSameSet({ servers }: DataFingerprint, others: readonly OtherUpdate[]): OtherUpdate[] {
  const names = new Set(servers.map(({ name }) => name));
  return others.filter(({ before }) => before.servers.some(({ name }) => names.has(name)));
}

/**
 * What differs, without what other updates changed since (`others`, oldest first). A database that one of them changed counts as
 * it was before that; whether it was changed after that, too, is not known. Pure.
 */
export function changeWithoutOthers(
  before: DataFingerprint,
  now: DataFingerprint,
  others: readonly OtherUpdate[],
): DataChange {
  const change = compareFingerprints(before, now);
  const theirs = new Map<string, OtherUpdate>();
  for (const other of others)
    for (const database of [...before.databases, ...now.databases]) {
      const isTheirs = changedIn(change.changes, database) && changedIn(other.changes, database);
      if (isTheirs && !theirs.has(databaseTitle(database))) theirs.set(databaseTitle(database), other);
    }
  if (theirs.size === 0) return change;
  const isOther = (database: DatabaseFingerprint): boolean => theirs.has(databaseTitle(database));
  const asBeforeThem = [...theirs].flatMap(([what, other]) =>
    other.before.databases.filter((database) => databaseTitle(database) === what),
  );
  return compareFingerprints(before, {
    servers: now.servers,
    databases: [...now.databases.filter((database) => !isOther(database)), ...asBeforeThem],
    unread: [
      ...now.unread,
      ...[...theirs].map(([what, { container }]) => ({ what, why: `${container} was updated since and changed it` })),
    ],
  });
}
