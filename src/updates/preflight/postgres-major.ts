import { BOUNDS } from '../../domain/bounds';
import type { ImageInspect } from '../../domain/engine-inspect';
import { environmentOf } from '../../domain/recreate/own-config';
import { PilotError, rethrowEngineLost } from '../../domain/errors';
import {
  composeChange,
  composeChangeText,
  dataDirectoryAfter,
  dataDirectoryOf,
  majorIn,
} from '../../domain/plan/postgres-major';
import { type Limits, readFile } from '../../probes/read-file';
import { assessMajor } from '../major/assess-major';
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
    const file = await readFile(run.engine, run.old.Id, `${directory}/PG_VERSION`, VERSION_FILE);
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
        : `This was not known when the update was decided, so it was not rehearsed. Request it again: diun-pilot update ${name} ${update.to.reference}`;
  return new PilotError('preflight_failed', `${what} ${remedy}`);
}
