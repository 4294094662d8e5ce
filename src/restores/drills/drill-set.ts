import { posix } from 'node:path';
import { serversIn, type DumpedServer } from '../../backups/backup-set';
import { NO_MAC, readManifest } from '../../backups/manifest';
import { walkTar } from '../../backups/sources/files-source';
import { verifyItem } from '../../backups/store-item';
import { imageIfThere } from '../../containers/read-containers';
import { type BackupItem, type BackupManifest, type BackupRecord, NotTried } from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
import type { ImageInspect } from '../../domain/engine-inspect';
import { messageOf, rethrowEngineLost } from '../../domain/errors';
import { environmentOf } from '../../domain/recreate/own-config';
import type { BackupStorage } from '../../ports/backup-storage';
import { asReadNow, readTargets } from '../../services/read-targets';
import type { Engine } from '../../ports/engine';
import { majorOfDump } from '../databases/dump-header';
import { psqlOf } from '../databases/psql';
import { notAuthenticated } from '../find-set';
import { pinned } from '../pinned-storage';
import { containerFor } from '../plan-restore';
import type { RestoreDeps } from '../restore-run';
import { ADVICE, restoreInto } from './drill-databases';
import { removeThrowaway, withThrowaway } from './throwaway-server';

/**
 * Restores a set as if all else were lost: the manifest from the storage, each database into a fresh server of the
 * image it came from, counted there, each file read to its end. Nothing that runs is touched, nothing is left behind.
 * Resolves with the counts as text.
 *
 * Rejects with `NotTried`, `backup_not_verified`, `drill_failed`, `restore_failed` (SQL), the storage's own errors; with
 * `engine_unreachable` to be called again.
 */
export async function drillSet(deps: RestoreDeps, record: BackupRecord): Promise<string> {
  if (record.status !== 'succeeded') throw new NotTried('The backup is no longer kept.');
  const manifest = await manifestOf(deps, record);
  const containers = await readTargets(deps);
  const servers: [DumpedServer, ImageInspect, string[]][] = [];
  for (const dumped of serversIn(manifest.items)) {
    const running = await serverOf(deps, containerFor(dumped.databases[0], manifest, null, containers));
    const image = await imageForDrill(deps, dumped, running);
    servers.push([dumped, image, await preloadedBy(deps, running, image)]);
  }
  const counted: string[] = [];
  for (const [dumped, image, preload] of servers) {
    const throwaway = { container: dumped.container, workId: record.id, image, preload };
    const parts = { ...deps, storage: pinned(deps.storage), onProgress: () => undefined };
    counted.push(...(await withThrowaway(deps, throwaway, (server) => restoreInto(parts, server, dumped))));
  }
  const read: string[] = [];
  for (const item of manifest.items.filter(({ kind }) => kind === 'files')) read.push(await readToItsEnd(deps, item));
  return [
    `Restored: ${counted.join('; ')}.`,
    ...(read.length === 0 ? [] : [`Read to the end: ${read.join('; ')}.`]),
  ].join(' ');
}

/** Of a service the container of its task; null: there is none here, and the drill does without. */
async function serverOf({ engine }: RestoreDeps, found: Container | null): Promise<Container | null> {
  try {
    return found && (await asReadNow(engine, found));
  } catch (error) {
    rethrowEngineLost(error);
    return null;
  }
}

/** After a crash: by their names, which only this record's drill has. */
export async function removeLeftOver(deps: RestoreDeps, record: BackupRecord): Promise<void> {
  for (const { container } of serversIn(record.items)) await removeThrowaway(deps, { container, workId: record.id });
}

/** Of an older version of diun-pilot, whose sets have no MAC, nothing is tried: the next backup has one. */
async function manifestOf(deps: RestoreDeps, { items }: BackupRecord): Promise<BackupManifest> {
  const folder = posix.dirname(items[0]?.key ?? '');
  const { manifest, distrust } = await readManifest(deps.storage, folder, deps.approvalSecrets);
  if (distrust === null) return manifest;
  if (distrust === NO_MAC) throw new NotTried(`The set is not authenticated: ${distrust}.`);
  throw notAuthenticated(deps.storage.urlOf(folder), distrust);
}

/** Of a library that works in one database only, such as `cron.database_name` of pg_cron. */
const OWN_DATABASES = "SELECT name || '=' || setting FROM pg_settings WHERE name LIKE '%.database_name'";

/** What the server itself loads at its start, and an extension in the dump may require: settings as `name=value`. */
export async function preloadedBy(
  deps: Pick<RestoreDeps, 'engine' | 'logger'>,
  running: Container | null,
  image: ImageInspect,
): Promise<string[]> {
  // Nothing is run in a container that the operator has not labelled for it.
  const open = running?.labels.backup?.kind === 'postgres';
  if (running === null || !open || !running.running || running.imageId !== image.Id) return [];
  try {
    const psql = await psqlOf(deps.engine, running);
    const libraries = (await psql.list('SHOW shared_preload_libraries'))[0]?.trim() ?? '';
    if (libraries === '') return [];
    return [`shared_preload_libraries=${libraries}`, ...(await psql.list(OWN_DATABASES))];
  } catch (error) {
    rethrowEngineLost(error);
    deps.logger.warn('what a database server preloads is not known', {
      server: running.name,
      reason: messageOf(error),
    });
    return [];
  }
}

async function readToItsEnd(deps: RestoreDeps, item: BackupItem): Promise<string> {
  const title = `files ${item.name} of ${item.container}`;
  const from = { ...deps, onProgress: () => undefined };
  return `${title} (${await verifyItem(from, { title, advice: ADVICE, verify: walkTar }, item)})`;
}

interface From {
  engine: Engine;
  storage: BackupStorage;
}

/**
 * The image that a set's databases are restored into: the very one that the server ran, if it is still on the engine,
 * else that of the server that runs now, if it is of the same major. Throws `NotTried` when there is neither.
 */
export async function imageForDrill(
  from: From,
  { container, databases: [first] }: DumpedServer,
  running: Container | null,
): Promise<ImageInspect> {
  const own = await imageIfThere(from.engine, first.image.imageId);
  if (own !== null) return startsAsTheOfficialOne(own, first.image.reference);
  const gone = `${first.image.reference}, which ${container} ran, is no longer on this engine`;
  const now = running === null ? null : await imageIfThere(from.engine, running.imageId);
  if (running === null || now === null) throw new NotTried(`${gone}, and there is no ${container} now.`);
  const major = await majorOfDump(await from.storage.get(first.key));
  const nowMajor = environmentOf(now.Config?.Env).get('PG_MAJOR');
  if (major === null || nowMajor !== String(major)) {
    const [then, since] = [major ?? UNKNOWN_VERSION, nowMajor ?? UNKNOWN_VERSION];
    throw new NotTried(`${gone}. The dump is of PostgreSQL ${then}, and ${running.name} now runs PostgreSQL ${since}.`);
  }
  return startsAsTheOfficialOne(now, running.reference);
}

const UNKNOWN_VERSION = '(unknown version)';

/** How a fresh server is started is known of the official image and those built on it, which all report their major. */
function startsAsTheOfficialOne(image: ImageInspect, reference: string): ImageInspect {
  if (environmentOf(image.Config?.Env).has('PG_MAJOR')) return image;
  throw new NotTried(
    `diun-pilot does not know how ${reference} initialises a new server: it is not built on the official image of PostgreSQL (PG_MAJOR is missing).`,
  );
}
