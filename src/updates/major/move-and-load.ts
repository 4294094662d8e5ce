import { interruptedText, MOST_ATTEMPTS } from '../../domain/interruptions';
import { type DumpedServer, folderOf, serversIn } from '../../backups/backup-set';
import { lastLines } from '../../containers/check-health';
import { keepStopped } from '../../containers/start-stop-remove';
import { compareStates, differencesText, stateText } from '../../domain/data/server-state';
import { messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import type { MajorJournal } from '../../domain/journal';
import type { Progress } from '../../lib/logger';
import { psqlOf } from '../../restores/databases/psql';
import { readServerState } from '../../restores/databases/read-server-state';
import { restoreInto } from '../../restores/drills/drill-databases';
import { HAS_TOOLS, MAKE_CLUSTER, OPEN_CLUSTER, SWAP } from '../../restores/files/move-scripts';
import { imageWithShell } from '../../restores/files/one-off';
import { authenticManifest } from '../../restores/find-set';
import { pinned } from '../../restores/pinned-storage';
import { serversRunAgain } from '../../restores/those-that-ran';
import { startedByOthers } from '../backup/stopped-containers';
import { assertNoExternalChange } from '../external-change';
import { prepareReplacement } from '../prepare-replacement';
import { newImageOf } from '../pull-by-digest';
import { checkpoint, newContainerOf, type Run } from '../run';
import { carriedSettings, initdbOptions, readCluster } from './cluster';
import { approvedMajor, onDataDirectory } from './data-directory';

/**
 * A new, empty data directory is made by the new image inside the volume of the old one, while the old server still runs. Then
 * the server is read, stopped, and both directories change places, by renames alone. Each act may be done twice.
 */
export async function moveData(run: Run, progress: Progress): Promise<string> {
  const major = run.journal.stage === 'moving' ? majorOf(run) : await makeReady(run, progress);
  progress('stopping the old server');
  await keepStopped(run, run.journal.oldContainerId);
  progress('the data directories change places');
  await onDataDirectory(run, major, { script: SWAP });
  return `The data directory of PostgreSQL ${major.from} is kept next to a new, empty one of PostgreSQL ${major.to}, in the same volume.`;
}

/** All that can fail is done while the old server runs and can be dumped again. */
async function makeReady(run: Run, progress: Progress): Promise<MajorJournal> {
  await mustBeBackedUp(run);
  await prepareReplacement(run);
  await assertNoExternalChange(run);
  const server = { id: run.old.Id, name: run.container.name };
  const cluster = await readCluster(run.engine, server);
  const planned = approvedMajor(run);
  const mark = run.update.id.slice(-10).toLowerCase();
  const newImage = (await newImageOf(run)).Id;
  const major: MajorJournal = {
    from: cluster.major,
    to: Number(planned?.to),
    ...{ directory: cluster.directory, mark, moved: false, loads: 0 },
    shell: await shellFor(run, [run.old.Image, newImage], mark),
  };
  checkpoint(run, 'preparing', { major });
  progress(`making an empty data directory of PostgreSQL ${major.to}`);
  const args = [carriedSettings(cluster), ...initdbOptions(cluster, major.to)];
  await onDataDirectory(run, major, { script: MAKE_CLUSTER, args, image: newImage, capabilities: 'become' });
  const before = await readServerState(run.engine, server, progress);
  await nothingWrites(run);
  const ready = { ...major, before, moved: true };
  checkpoint(run, 'moving', { major: ready, oldStopped: true });
  return ready;
}

function majorOf({ journal }: Pick<Run, 'journal'>): MajorJournal {
  if (journal.major === undefined) throw new Error('no new major was prepared before it is used');
  return journal.major;
}

async function shellFor(run: Run, images: string[], mark: string): Promise<string> {
  const { old, container } = run;
  const of = { id: old.Id, name: container.name };
  const image = await imageWithShell(run, of, images, { mark, script: HAS_TOOLS, path: null });
  if (image !== null) return image;
  const message = `Neither image of ${container.name} has a shell with mv, cp, rm, chown and stat, so its data directory cannot be moved. Nothing was changed.`;
  throw new PilotError('preflight_blocked', message);
}

/** What is loaded is the backup of this update: all that was written after it would be lost. */
async function mustBeBackedUp(run: Run): Promise<void> {
  const backup = run.update.backupId === null ? null : run.store.backups.get(run.update.backupId);
  const own = backup?.items.some(({ kind, container }) => kind === 'database' && container === run.container.name);
  if (backup?.status !== 'succeeded' || backup.updateId !== run.update.id || own !== true)
    throw notNow(`There is no backup of the databases of ${run.container.name} that this update has taken.`);
  await noOtherClient(run);
}

const LOOKS = 20;
const BETWEEN_LOOKS_MS = 500;

/** A client that is connected may write what is in no dump. Connections of what was stopped last end in a moment, as those of probes. */
async function noOtherClient(run: Run): Promise<void> {
  let others: string[] = [];
  for (let look = 0; look < LOOKS; look++) {
    others = await otherClients(run);
    if (others.length === 0) return;
    await run.clock.sleep(BETWEEN_LOOKS_MS);
  }
  throw notNow(
    `Clients are connected to ${run.container.name}, and what they write after the backup would be lost: ${others.join(', ')}. Stop them during the update; a container that has depends_on its service in the compose file is stopped automatically.`,
  );
}

const CLIENTS = `SELECT DISTINCT usename || ' of ' || coalesce(nullif(application_name, ''), 'an application') || ' from ' || coalesce(client_addr::text, 'its own socket')
  FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;

async function otherClients(run: Run): Promise<string[]> {
  return (await psqlOf(run.engine, { id: run.old.Id, name: run.container.name })).list(CLIENTS);
}

/** A container that another process has started writes to data that was dumped already. */
async function nothingWrites(run: Run): Promise<void> {
  const started = await startedByOthers(run);
  if (started.length === 0) return noOtherClient(run);
  throw notNow(`${started.join(', ')} was started externally after the backup, and what it writes would be lost.`);
}

function notNow(why: string): PilotError {
  return new PilotError('preflight_blocked', `${why} The data was not moved; request the update again.`);
}

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
      throw majorError(`The loaded data differs from that of PostgreSQL ${from}: ${differencesText(found)}`);
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
  if (loads <= MOST_ATTEMPTS) return;
  throw new PilotError(
    'interrupted',
    interruptedText(MOST_ATTEMPTS, 'while it loaded the databases', 'memory, disk, restarts of the host', 'update'),
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
    throw majorError(`The new server does not answer: ${messageOf(error)}${said}`, error);
  }
}

async function load(run: Run, server: { id: string; name: string }, progress: Progress): Promise<void> {
  const parts = { engine: run.engine, storage: pinned(run.storage), onProgress: progress };
  try {
    await restoreInto(parts, server, await dumpedBefore(run), 'lasting');
  } catch (error) {
    rethrowEngineLost(error);
    throw majorError(messageOf(error), error);
  }
}

/** From the storage, as its manifest says: what is loaded is what was verified. */
async function dumpedBefore(run: Run): Promise<DumpedServer> {
  const record = run.update.backupId === null ? null : run.store.backups.get(run.update.backupId);
  const folder = record === null ? null : folderOf(record);
  if (folder === null) throw majorError('The record of the backup of this update is gone.');
  const { items } = await authenticManifest(run, folder);
  const dumped = serversIn(items).find(({ container }) => container === run.journal.containerName);
  if (dumped === undefined)
    throw majorError(`The backup of this update has no database of ${run.journal.containerName}.`);
  return dumped;
}

function majorError(message: string, cause?: unknown): PilotError {
  return new PilotError('major_failed', message, { cause });
}
