import type { DumpedServer } from '../../backups/backup-set';
import { imageIfThere } from '../../containers/if-there';
import type { BackupItem } from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
import { NotTried } from '../../domain/backups/drill';
import type { ImageInspect } from '../../domain/engine-inspect';
import { environmentOf } from '../../domain/recreate/environment';
import type { BackupStorage } from '../../ports/backup-storage';
import type { Engine } from '../../ports/engine';
import { dumpedMajor } from '../databases/dump-header';

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
  const major = await majorOf(from.storage, first);
  const nowMajor = environmentOf(now.Config?.Env).get('PG_MAJOR');
  if (major === null || nowMajor !== String(major)) {
    const [then, since] = [major ?? 'of a version that its dump does not tell', nowMajor ?? 'of an unknown version'];
    throw new NotTried(`${gone}. It was PostgreSQL ${then}; what ${running.name} runs now is ${since}.`);
  }
  return startsAsTheOfficialOne(now, running.reference);
}

/** How a fresh server is started is known of the official image and those built on it, which all report their major. */
function startsAsTheOfficialOne(image: ImageInspect, reference: string): ImageInspect {
  if (environmentOf(image.Config?.Env).has('PG_MAJOR')) return image;
  throw new NotTried(
    `How ${reference} begins a fresh server is not known: it is not built on the official image of PostgreSQL (PG_MAJOR is missing).`,
  );
}

/** Of the server that a dump was taken from, read from its first bytes. */
async function majorOf(storage: BackupStorage, { key }: BackupItem): Promise<number | null> {
  for await (const head of await storage.get(key)) return dumpedMajor(head as Buffer);
  return null;
}
