import type { ContainerInspect } from '../../domain/engine-inspect';
import { PilotError, rethrowEngineLost } from '../../domain/errors';
import { dfOf, parseDf } from '../../domain/disk/df';
import { formatBytes } from '../../domain/format';
import type { Engine } from '../../ports/engine';
import { clean, placeOfPath, unitsOf } from '../../restores/files/swap-places';
import type { Run } from '../run';
import { bytesNeeded, obstaclesTo, readCluster, type Cluster } from './cluster';

const ANSWER_WITHIN_MS = 10_000;

/**
 * Whether the data of a PostgreSQL server can be moved to a new major, asked while it runs and before anything is stopped.
 * Resolves with a sentence. Rejects with `preflight_blocked` and all that is in the way.
 */
export async function assessMajor(
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
  if (clean(cluster.directory) !== clean(directory))
    return [
      `The server of ${name} has its data in ${cluster.directory}, and PGDATA is ${directory}: set PGDATA to it.`,
    ];
  if (placeOfPath(directory, 'folder', Mounts) !== 'volume')
    return [`The data directory ${directory} of ${name} is not on a writable volume: mount one there first.`];
  const below = unitsOf(directory, Mounts).filter((unit) => unit !== clean(directory));
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
