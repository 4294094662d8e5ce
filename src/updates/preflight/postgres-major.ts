import { BOUNDS } from '../../domain/bounds';
import { dfOf, parseDf } from '../../domain/disk/df';
import type { ImageInspect, ContainerInspect } from '../../domain/engine-inspect';
import { formatBytes } from '../../domain/format';
import { environmentOf } from '../../domain/recreate/own-config';
import { PilotError, rethrowEngineLost } from '../../domain/errors';
import {
  composeChange,
  composeChangeText,
  dataDirectoryAfter,
  dataDirectoryOf,
  majorIn,
} from '../../domain/plan/postgres-major';
import type { Engine } from '../../ports/engine';
import { type Limits, readContainerFile } from '../../probes/read-file';
import { plainPath, placeOfPath, unitsOf } from '../../restores/files/swap-places';
import { bytesNeeded, obstaclesTo, readCluster, type Cluster } from '../major/cluster';
import type { Run } from '../run';

/** A container, or that of a service's task. */
type Server = Pick<Run, 'engine' | 'old' | 'container' | 'update'>;

/**
 * A data directory of another major never starts, and from 18 on the official image looks for it elsewhere and would
 * silently start with an empty database (docs/research/postgresql.md). `approved`: the major that its data may be moved to.
 * Null: the container is not a PostgreSQL server.
 */
export async function comparePostgres(
  run: Server,
  newImage: ImageInspect,
  approved: string | null = null,
): Promise<string | null> {
  const before = environmentOf(run.old.Config.Env);
  const newEnv = newImage.Config?.Env ?? [];
  const major = majorIn(newEnv);
  if (!before.has('PG_MAJOR') && run.container.labels.probe.kind !== 'postgres') return null;
  if (major === null) throw unknownMajor(run);
  const directory = dataDirectoryOf(run.old);
  const dataMajor = await readDataMajor(run, directory);
  const isNew = dataMajor !== major;
  if (isNew && approved !== major) throw otherMajor(run, dataMajor, major);
  const oldImage = await run.engine.inspectImage(run.old.Image);
  const server = { container: run.old, imageEnv: oldImage.Config?.Env };
  const change = dataDirectoryAfter(server, newEnv) === directory ? null : composeChange(server, newEnv);
  if (change !== null) throw new PilotError('preflight_failed', `${composeChangeText(change)} Nothing was changed.`);
  if (isNew) return assessMajor(run, Number(dataMajor), Number(major), directory);
  return `its data directory is of PostgreSQL ${dataMajor}, as is the new image`;
}

const VERSION_FILE: Limits = {
  mostBytes: BOUNDS.versionFile.bytes,
  refuse: (why) => new PilotError('preflight_blocked', why),
};

async function readDataMajor(run: Server, directory: string): Promise<string> {
  try {
    const file = await readContainerFile(run.engine, run.old.Id, `${directory}/PG_VERSION`, VERSION_FILE);
    if (file !== null) return file.toString().trim();
    throw VERSION_FILE.refuse('There is no such file.');
  } catch (error) {
    rethrowEngineLost(error);
    throw new PilotError(
      'preflight_blocked',
      `There is no PG_VERSION in ${directory} of ${run.container.name}, so it is unknown which PostgreSQL its data needs. Set PGDATA of the container to where its data is.`,
      { cause: error },
    );
  }
}

function unknownMajor({ update }: Server): PilotError {
  return new PilotError(
    'preflight_failed',
    `The image ${update.to.reference} does not name its PostgreSQL major (PG_MAJOR), so it may not fit the data.`,
  );
}

function otherMajor({ container, update }: Server, data: string, image: string): PilotError {
  const { name, swarm } = container;
  const what = `The data of ${name} is of PostgreSQL ${data}, and ${update.to.reference} is PostgreSQL ${image}, which would not start on it. Nothing was changed.`;
  const remedy =
    Number(image) < Number(data)
      ? `No older major can read it. Keep a tag of PostgreSQL ${data}.`
      : swarm
        ? `The data of a service is not moved to a new major automatically: dump and restore it by hand. Until then keep a tag of PostgreSQL ${data}.`
        : `This was not known when the update was decided, so the update was not rehearsed. Request it again: diun-pilot update ${name} ${update.to.reference}`;
  return new PilotError('preflight_failed', `${what} ${remedy}`);
}

const ANSWER_WITHIN_MS = 10_000;

/**
 * Whether the data of a PostgreSQL server can be moved to a new major, asked while it runs and before anything is stopped.
 * Resolves with a sentence. Rejects with `preflight_blocked` and all that is in the way.
 */
async function assessMajor(
  run: Pick<Run, 'engine' | 'old' | 'container'>,
  from: number,
  to: number,
  directory: string,
): Promise<string> {
  const { engine, old, container } = run;
  const name = container.name;
  if (to < from) throw blocked([`${name} has data of PostgreSQL ${from}, and no older one can read it.`]);
  if (container.labels.backup?.kind !== 'postgres')
    throw blocked([`${name} has no label backup.kind=postgres, so there is no dump to load into the new version.`]);
  const cluster = await readCluster(engine, { id: old.Id, name });
  const obstacles = [...whereItIs(old, name, directory, cluster), ...obstaclesTo(cluster)];
  if (obstacles.length === 0) obstacles.push(...(await mustHaveRoom(engine, old.Id, directory, cluster)));
  if (obstacles.length > 0) throw blocked(obstacles);
  return `its data is of PostgreSQL ${from}: it is moved to a new data directory of PostgreSQL ${to} in the same volume, and the old one is kept`;
}

function whereItIs({ Mounts }: ContainerInspect, name: string, directory: string, cluster: Cluster): string[] {
  if (plainPath(cluster.directory) !== plainPath(directory))
    return [
      `The server of ${name} has its data in ${cluster.directory}, and PGDATA is ${directory}: set PGDATA to it.`,
    ];
  if (placeOfPath(directory, 'folder', Mounts) !== 'volume')
    return [`The data directory ${directory} of ${name} is not on a writable volume: mount one there first.`];
  const below = unitsOf(directory, Mounts).filter((unit) => unit !== plainPath(directory));
  if (below.length === 0) return [];
  return [
    `Parts of the data directory are on mounts of their own (${below.join(', ')}), which a new one would not have.`,
  ];
}

/** Not known without a `df` in the image: then loading finds it out, and is rolled back. */
async function mustHaveRoom(engine: Engine, id: string, directory: string, cluster: Cluster): Promise<string[]> {
  const free = await freeBytes(engine, id, directory);
  const needed = bytesNeeded(cluster);
  if (free === null || free >= needed) return [];
  return [
    `The volume of ${directory} has ${formatBytes(free)} free, and the new data directory needs about ${formatBytes(needed)} next to the old one. Make room there.`,
  ];
}

async function freeBytes(engine: Engine, id: string, directory: string): Promise<number | null> {
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const { exitCode, stdout } = await engine.exec(id, dfOf(directory), { signal });
    return exitCode === 0 ? parseDf(stdout.split('\n')) : null;
  } catch (error) {
    rethrowEngineLost(error);
    return null;
  }
}

function blocked(obstacles: readonly string[]): PilotError {
  const message = `The data cannot be moved to the new PostgreSQL major. ${obstacles.join(' ')} Nothing was changed.`;
  return new PilotError('preflight_blocked', message);
}
