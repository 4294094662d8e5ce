import { canChangeData } from '../../backups/writers';
import type { Deps } from '../../deps';
import { isServer } from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
import { changeWithoutOthers } from '../../domain/data/changes-of-others';
import type { DatabaseServer, DataChange, DataFingerprint } from '../../domain/data/data-fingerprint';
import type { Update } from '../../domain/update';
import type { Progress } from '../../lib/logger';
import { approvedMajor } from '../major/data-directory';
import { checkpoint, type Run } from '../run';
import { readFingerprint } from './read-fingerprint';

/**
 * What an update of the target can change in the databases of its set, to be kept in the journal: read once the backup is taken
 * and before anything is changed. Null: nothing. `members`: those of the set. Rejects only with `engine_unreachable`.
 */
export async function fingerprintBefore(
  run: Deps & { update: Update },
  target: Container,
  members: readonly Container[],
  progress: Progress,
): Promise<DataFingerprint | null> {
  // Of a new PostgreSQL major all of it is compared, and its old data directory comes back.
  if (!canChangeData(target, members) || approvedMajor(run) !== null) return null;
  const servers = members.filter(isServer).map(({ id, name }) => ({ id, name }));
  if (servers.length === 0) return null;
  const fingerprint = await readFingerprint(run.engine, servers, progress);
  for (const { what, why } of fingerprint.unread)
    run.logger.warn('the schema of a database could not be read', { update: run.update.id, what, reason: why });
  return fingerprint;
}

/** What differs from it by now, without what other updates changed since. `servers`: where its databases run now. Rejects only with `engine_unreachable`. */
export async function changeSince(
  run: Deps & { update: Update },
  fingerprint: DataFingerprint,
  servers: readonly DatabaseServer[],
  progress: Progress,
): Promise<DataChange> {
  const now = await readFingerprint(run.engine, servers, progress);
  const others = run.store.updates.othersThatChanged(run.update, fingerprint);
  const change = changeWithoutOthers(fingerprint, now, others);
  run.logger.info('compared the databases with those before the update', { update: run.update.id, ...change });
  return change;
}

/**
 * What the new version has changed by now, kept in the journal; null: no database is concerned. Read once in each stage: what
 * is compared after a crash must not hold what the old version did since. Rejects only with `engine_unreachable`.
 */
export async function lookForChange(run: Run, progress: Progress): Promise<DataChange | null> {
  const { fingerprint, dataChange, stage } = run.journal;
  if (fingerprint === undefined) return null;
  if (dataChange?.seenIn === stage) return dataChange;
  const change = await changeSince(run, fingerprint, serversNow(run, fingerprint.servers), progress);
  const seen = { ...change, seenIn: stage };
  checkpoint(run, stage, { dataChange: seen });
  return seen;
}

/** The new version is known to have changed the data. */
export function hasChangedData({ journal }: Pick<Run, 'journal'>): boolean {
  return (journal.dataChange?.changes.length ?? 0) > 0;
}

/** If the server itself is updated, the new container has its name after the swap. */
function serversNow({ journal }: Run, servers: readonly DatabaseServer[]): DatabaseServer[] {
  const { oldContainerId, newContainerId, stage } = journal;
  if (stage !== 'checking' || newContainerId === null) return [...servers];
  return servers.map((server) => (server.id === oldContainerId ? { ...server, id: newContainerId } : server));
}
