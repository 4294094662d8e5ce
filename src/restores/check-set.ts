import { Readable } from 'node:stream';
import { constants, gunzipSync } from 'node:zlib';
import { walkTar } from '../backups/sources/files-source';
import type { Finding } from '../backups/sources/item-source';
import { readByPgRestore } from '../backups/sources/postgres-source';
import { verifyItem } from '../backups/store-item';
import { titleOfItem, type BackupItem } from '../domain/backups/backup';
import { inspectIfThere } from '../containers/read-containers';
import { messageOf, PilotError } from '../domain/errors';
import { checkProperties, checkRights, checkRoles, roleScript } from './databases/check-databases';
import { dumpedMajor } from './databases/dump-header';
import { psqlOf } from './databases/psql';
import { HAS_TOOLS } from './files/move-scripts';
import { imageWithShell } from './files/one-off';
import { placeOfPath, type Place } from './files/swap-places';
import type { Placed } from './plan-restore';
import type { RestoreRun } from './restore-run';

/**
 * Reads the whole set, as it will be restored: sizes and SHA-256; with `deep` also each dump by `pg_restore` of its server and each tar
 * to its end.
 * Resolves with what each path is. Rejects with `backup_not_verified` for a damaged set, with `restore_refused` for
 * one that does not fit, and touches nothing.
 */
export async function checkSet(run: RestoreRun): Promise<Record<string, 'folder' | 'file'>> {
  if (run.plan.problems.length > 0) throw new PilotError('restore_refused', run.plan.problems.join(' '));
  for (const placed of run.plan.roles) {
    const script = roleScript();
    await whole(run, placed, script.verify);
    await checkRoles(run.engine, placed.container, script.statements());
  }
  const servers = new Map(run.plan.databases.map(({ container }) => [container.id, container]));
  for (const server of servers.values()) await checkRights(run.engine, server);
  for (const placed of run.plan.databases) await checkDump(run, placed);
  const kinds: Record<string, 'folder' | 'file'> = {};
  for (const placed of run.plan.files) kinds[placed.item.key] = await checkTar(run, placed);
  return kinds;
}

/** For each container whose files are moved an image whose shell can move them, found out before anybody is stopped. */
export async function findShells(run: RestoreRun): Promise<Record<string, string>> {
  const shells: Record<string, string> = {};
  const images = [...run.plan.files, ...run.plan.databases].map(({ container }) => container.imageId);
  const own = await ownImage(run);
  for (const { container } of run.plan.files) {
    const tried = { mark: run.journal.mark, script: HAS_TOOLS, path: null };
    const image = await imageWithShell(run, container, [...own, container.imageId, ...images], tried);
    if (image === null) {
      throw new PilotError(
        'restore_refused',
        `No image of the set has a shell and mv, cp, rm, chown and stat, so the files of ${container.name} cannot be swapped. Nothing was stopped. Unpack the set manually, or add a container with a shell and backup.kind to the project.`,
      );
    }
    shells[container.id] = image;
  }
  return shells;
}

/** That of diun-pilot itself comes first, because nothing of a container is run with it. The shipped one has no shell. */
async function ownImage({ engine, selfId }: RestoreRun): Promise<string[]> {
  if (selfId === null) return [];
  const self = await inspectIfThere(engine, selfId);
  return self === null ? [] : [self.Image];
}

async function checkDump(run: RestoreRun, placed: Placed): Promise<void> {
  const { item, container } = placed;
  await whole(run, placed);
  const major = dumpedMajor(run.storage.headOf(item.key)) ?? 0;
  const own = await majorOf(run, container);
  // Before the deep look: an older pg_restore reads nothing of it (15 of 17, measured: "unsupported version (1.16) in file header").
  if (major > own) {
    throw new PilotError(
      'restore_refused',
      `Database ${item.name} was dumped from PostgreSQL ${major}, and ${container.name} is PostgreSQL ${own}, which cannot load it. Nothing was stopped. Run an image of PostgreSQL ${major} or newer there, with an empty volume.`,
    );
  }
  if (run.deep === true) await whole(run, placed, (content) => readByPgRestore(run.engine, container, content));
  if (item.database) await checkProperties(run.engine, container, item.name, item.database);
}

async function majorOf(run: RestoreRun, server: Placed['container']): Promise<number> {
  const [version = '0'] = await (await psqlOf(run.engine, server)).list('SHOW server_version_num');
  return Math.floor(Number(version) / 10_000);
}

async function checkTar(run: RestoreRun, placed: Placed): Promise<'folder' | 'file'> {
  const { item, container } = placed;
  const root = run.deep === true ? null : await rootByHead(run, placed);
  const kind = (root ?? (await rootByReading(run, placed))) === 'directory' ? 'folder' : 'file';
  const place = placeOfPath(item.name, kind, (await run.engine.inspectContainer(container.id)).Mounts);
  if (place !== 'volume' && !(place === 'own_layer' && run.ownLayer === 'untouched')) {
    const unpack = place === 'own_layer' ? ` ${byHand(item)}` : '';
    throw new PilotError(
      'restore_refused',
      `${item.name} of ${container.name} ${WHY[place]}${unpack} Nothing was stopped.`,
    );
  }
  return kind;
}

/** The kind of the first entry; null: the first bytes do not have it. */
async function rootByHead(run: RestoreRun, placed: Placed): Promise<string | null> {
  await whole(run, placed);
  const head = run.storage.headOf(placed.item.key);
  return (await walkTar(Readable.from([startOf(head, placed.item)]))).root;
}

/** What is cut is decompressed as far as it goes. */
function startOf(head: Buffer, { compression }: BackupItem): Buffer {
  if (compression === 'none') return head;
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}

async function rootByReading(run: RestoreRun, placed: Placed): Promise<string | null> {
  let root: string | null = null;
  await whole(run, placed, async (content) => {
    const found = await walkTar(content);
    root = found.root;
    return found;
  });
  return root;
}

const WHY: Record<Exclude<Place, 'volume'>, string> = {
  own_layer:
    'is in no volume but in the container itself, which every update replaces. Put it on a volume, or unpack it manually:',
  read_only: 'is mounted read-only there. Mount it writable, and restore again.',
  sockets:
    'is on a mount of a folder in which the host keeps its sockets or devices, which diun-pilot never mounts again. Move the data to a volume of its own, or unpack it manually from the set.',
  mounted_itself:
    'is mounted as a single file, so nothing can be stored next to it. Mount its folder, or unpack it manually from the set.',
};

function byHand({ compression }: BackupItem): string {
  return compression === 'none'
    ? 'docker cp - CONTAINER:/PARENT < OBJECT.tar.'
    : 'gunzip -c OBJECT.tar.gz | docker cp - CONTAINER:/PARENT.';
}

async function whole(
  run: RestoreRun,
  { item, container }: Placed,
  verify?: (content: AsyncIterable<Buffer>) => Promise<Finding>,
): Promise<void> {
  const title = titleOfItem({ ...item, container: container.name });
  try {
    await verifyItem(run, { title, advice: 'Look at the backup storage.', verify }, item);
  } catch (error) {
    if (!(error instanceof PilotError) || error.code !== 'backup_not_verified') throw error;
    const message = `${messageOf(error)} Nothing was stopped and nothing was changed: choose another set (diun-pilot backups).`;
    throw new PilotError('backup_not_verified', message, { cause: error });
  }
}
