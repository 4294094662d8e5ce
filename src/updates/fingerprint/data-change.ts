import { canChangeData } from '../../backups/writers';
import type { Deps } from '../../deps';
import { isServer } from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
import { changeWithoutOthers } from '../../domain/data/changes-of-others';
import { hasChanged } from '../../domain/data/compare-fingerprints';
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
  const fingerprint = await readFingerprint(run, servers, progress);
  for (const { what, why } of fingerprint.unread)
    run.logger.warn('the schema of a database could not be read', { update: run.update.id, what, reason: why });
  return fingerprint;
}

/** What differs from it by now, without what other updates changed since. `servers`: where its databases run now. Rejects only with `engine_unreachable`. */
async function changeSince(
  run: Deps & { update: Update },
  fingerprint: DataFingerprint,
  servers: readonly DatabaseServer[],
  progress: Progress,
): Promise<DataChange> {
  const now = await readFingerprint(run, servers, progress);
  const others = run.store.updates.othersThatChanged(run.update, fingerprint);
  const change = changeWithoutOthers(fingerprint, now, others);
  run.logger.info('compared the databases with those before the update', { update: run.update.id, ...change });
  return change;
}

/** What the new version has changed by now; null: no database is concerned. Rejects only with `engine_unreachable`. */
export function lookForChange(run: Run, progress: Progress): Promise<DataChange | null> {
  return changeInStage(run, run.journal, {
    serversNow: (then) => serversNow(run, then),
    save: (dataChange) => checkpoint(run, run.journal.stage, { dataChange }),
    progress,
  });
}

/**
 * The same of the journal of a container or a service, in which it is kept. Read once in each stage: what is compared after a crash
 * must not hold what the old version did since.
 */
export async function changeInStage<S extends string>(
  run: Deps & { update: Update },
  { fingerprint, dataChange, stage }: Noted<S>,
  { serversNow, save, progress }: Looking<S>,
): Promise<DataChange | null> {
  if (fingerprint === undefined) return null;
  if (dataChange?.seenIn === stage) return dataChange;
  const change = await changeSince(run, fingerprint, await serversNow(fingerprint.servers), progress);
  const seen = { ...change, seenIn: stage };
  save(seen);
  return seen;
}

interface Noted<S> {
  stage: S;
  fingerprint?: DataFingerprint;
  dataChange?: DataChange & { seenIn: S };
}

interface Looking<S> {
  serversNow: (then: readonly DatabaseServer[]) => DatabaseServer[] | Promise<DatabaseServer[]>;
  save: (seen: DataChange & { seenIn: S }) => void;
  progress: Progress;
}

/** The new version is known to have changed the data. */
export function hasChangedData({ journal }: Pick<Run, 'journal'>): boolean {
  return hasChanged(journal.dataChange);
}

/** If the server itself is updated, the new container has its name after the swap. */
function serversNow({ journal }: Run, servers: readonly DatabaseServer[]): DatabaseServer[] {
  const { oldContainerId, newContainerId, stage } = journal;
  if (stage !== 'checking' || newContainerId === null) return [...servers];
  return servers.map((server) => (server.id === oldContainerId ? { ...server, id: newContainerId } : server));
}
