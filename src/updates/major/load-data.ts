import { lastLines } from '../../containers/check-health';
import { serversIn, folderOf, type DumpedServer } from '../../backups/backup-set';
import { compareStates, differencesText, stateText } from '../../domain/data/server-state';
import { messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import type { Progress } from '../../lib/logger';
import { psqlOf } from '../../restores/databases/psql';
import { readServerState } from '../../restores/databases/read-server-state';
import { restoreInto } from '../../restores/drills/drill-databases';
import { authenticManifest } from '../../restores/find-set';
import { OPEN_CLUSTER } from '../../restores/files/move-scripts';
import { pinned } from '../../restores/pinned-storage';
import { serversRunAgain } from '../../restores/those-that-ran';
import { checkpoint, newContainerOf, type Run } from '../run';
import { onDataDirectory } from './data-directory';
import { majorOf } from './move-data';

/** As for every other part of an update. */
const ATTEMPTS = 3;

/**
 * Loads roles and databases of this update's backup into the new server, which no one else can reach yet, and compares it with
 * the old one as it was read before its stop. Then the rules for connections of the old one come into place. Each act may be
 * done twice. Rejects with `major_failed`: then the update is rolled back.
 */
export async function loadData(run: Run, progress: Progress): Promise<string> {
  countAttempt(run);
  const { from, loaded, before } = majorOf(run);
  const server = { id: newContainerOf(run), name: run.journal.containerName };
  await answers(run, server, progress);
  if (before === undefined) throw new Error('the old server was not read before its stop');
  if (loaded !== true) {
    await load(run, server, progress);
    progress('comparing with the old server');
    const found = compareStates(before, await readServerState(run.engine, server, progress));
    if (found.length > 0)
      throw failed(`The loaded data differs from that of PostgreSQL ${from}: ${differencesText(found)}`);
    checkpoint(run, 'loading', { major: { ...majorOf(run), loaded: true } });
  }
  await onDataDirectory(run, majorOf(run), { script: OPEN_CLUSTER });
  await run.engine.restart(server.id);
  return `Loaded, and the same as on PostgreSQL ${from}: ${stateText(before)}; statistics are collected (ANALYZE).`;
}

/** An engine that went away does not count as an attempt. */
function countAttempt(run: Run): void {
  const major = majorOf(run);
  const lost = run.journal.engineLost === true;
  const loads = lost ? major.loads : major.loads + 1;
  checkpoint(run, 'loading', { engineLost: false, major: { ...major, loads } });
  if (loads <= ATTEMPTS) return;
  throw new PilotError(
    'interrupted',
    `diun-pilot was stopped ${ATTEMPTS} times while it loaded the databases. Look for the reason in its log (memory, disk, restarts of the host), then request the update again.`,
  );
}

async function answers(run: Run, server: { id: string; name: string }, progress: Progress): Promise<void> {
  const readyWithinMs = run.container.labels.probeTimeoutMs;
  await serversRunAgain(run, [{ ...server, server: true, readyWithinMs }], progress);
  try {
    await (await psqlOf(run.engine, server)).list('SELECT 1');
  } catch (error) {
    rethrowEngineLost(error);
    const said = await lastLines(run, server.id);
    throw failed(`The new server does not answer: ${messageOf(error)}${said}`, error);
  }
}

async function load(run: Run, server: { id: string; name: string }, progress: Progress): Promise<void> {
  const parts = { engine: run.engine, storage: pinned(run.storage), onProgress: progress };
  try {
    await restoreInto(parts, server, await dumpedBefore(run), 'lasting');
  } catch (error) {
    rethrowEngineLost(error);
    throw failed(messageOf(error), error);
  }
}

/** From the storage, as its manifest says: what is loaded is what was verified. */
async function dumpedBefore(run: Run): Promise<DumpedServer> {
  const record = run.update.backupId === null ? null : run.store.backups.get(run.update.backupId);
  const folder = record === null ? null : folderOf(record);
  if (folder === null) throw failed('The record of the backup of this update is gone.');
  const { items } = await authenticManifest(run, folder);
  const dumped = serversIn(items).find(({ container }) => container === run.journal.containerName);
  if (dumped === undefined) throw failed(`The backup of this update has no database of ${run.journal.containerName}.`);
  return dumped;
}

function failed(message: string, cause?: unknown): PilotError {
  return new PilotError('major_failed', message, { cause });
}
