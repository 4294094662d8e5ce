import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { BOUNDS } from '../../domain/bounds';
import type { ContainerInspect, ImageInspect } from '../../domain/engine-inspect';
import { environmentOf } from '../../domain/recreate/own-config';
import { PilotError, rethrowEngineLost } from '../../domain/errors';
import { readWithin } from '../../lib/streams/read-within';
import { assessMajor } from '../major/assess-major';
import type { Run } from '../run';

const DEFAULT_PGDATA = '/var/lib/postgresql/data';

/** A container, or that of a service's task. */
type Server = Pick<Run, 'engine' | 'old' | 'container' | 'update'>;

/** Where a PostgreSQL server has its data. */
export function dataDirectoryOf({ Config }: ContainerInspect): string {
  return environmentOf(Config.Env).get('PGDATA') ?? DEFAULT_PGDATA;
}

/**
 * A data directory of another major never starts, and from 18 on the official image looks for it elsewhere and would
 * silently start with an empty database (facts, PostgreSQL). `approved`: the major that its data may be moved to. Null: the container is not a PostgreSQL server.
 */
export async function comparePostgres(
  run: Server,
  newImage: ImageInspect,
  approved: string | null = null,
): Promise<string | null> {
  const before = environmentOf(run.old.Config.Env);
  const image = environmentOf(newImage.Config?.Env);
  const major = majorOf(image);
  if (!before.has('PG_MAJOR') && run.container.labels.probe.kind !== 'postgres') return null;
  if (major === null) throw unknownMajor(run);
  const directory = dataDirectoryOf(run.old);
  const dataMajor = await readDataMajor(run, directory);
  const isNew = dataMajor !== major;
  if (isNew && approved !== major) throw otherMajor(run, dataMajor, major);
  const next = await directoryAfter(run, image);
  if (next !== directory) throw otherDirectory(run, directory, next);
  if (isNew) return assessMajor(run, Number(dataMajor), Number(major), directory);
  return `its data directory is of PostgreSQL ${dataMajor}, as is the new image`;
}

function majorOf(image: Map<string, string>): string | null {
  return image.get('PG_MAJOR') ?? /^(\d+)/.exec(image.get('PG_VERSION') ?? '')?.[1] ?? null;
}

/** PGDATA of the new container: the operator's own, else that of the new image. */
async function directoryAfter(run: Server, image: Map<string, string>): Promise<string> {
  const oldImage = await run.engine.inspectImage(run.old.Image);
  const before = environmentOf(run.old.Config.Env).get('PGDATA');
  const own = before === environmentOf(oldImage.Config?.Env).get('PGDATA') ? undefined : before;
  return own ?? image.get('PGDATA') ?? DEFAULT_PGDATA;
}

async function readDataMajor(run: Server, directory: string): Promise<string> {
  try {
    const tar = await readWithin(await run.engine.archive(run.old.Id, `${directory}/PG_VERSION`), BOUNDS.versionFile);
    return (await onlyFile(Readable.from([tar]).pipe(extract()))).trim();
  } catch (error) {
    rethrowEngineLost(error);
    throw new PilotError(
      'preflight_blocked',
      `There is no PG_VERSION in ${directory} of ${run.container.name}, so it is unknown which PostgreSQL its data needs. Set PGDATA of the container to where its data is.`,
      { cause: error },
    );
  }
}

async function onlyFile(entries: ReturnType<typeof extract>): Promise<string> {
  for await (const entry of entries) return (await readWithin(entry, BOUNDS.versionFile)).toString();
  throw new Error('the archive is empty');
}

function unknownMajor({ update }: Server): PilotError {
  return new PilotError(
    'preflight_failed',
    `The image ${update.to.reference} does not tell its PostgreSQL major (PG_MAJOR), so it may not fit the data.`,
  );
}

function otherMajor({ container, update }: Server, data: string, image: string): PilotError {
  return new PilotError(
    'preflight_failed',
    `The data of ${container.name} is of PostgreSQL ${data}, and ${update.to.reference} is PostgreSQL ${image}, which would not start on it. Nothing was stopped. A new major needs a dump and restore (or pg_upgrade) by hand; until then keep a tag of PostgreSQL ${data}.`,
  );
}

function otherDirectory({ container, update }: Server, before: string, after: string): PilotError {
  return new PilotError(
    'preflight_failed',
    `${update.to.reference} keeps its data in ${after}, ${container.name} has it in ${before}: it would start with an empty database. Set PGDATA=${before} on the service, then try again.`,
  );
}
