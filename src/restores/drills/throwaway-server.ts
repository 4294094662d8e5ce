import { randomBytes } from 'node:crypto';
import { asideName } from '../../containers/artifact-names';
import { lastLines } from '../../containers/check-health';
import { inspectByName } from '../../containers/read-containers';
import { removeOneOff, repeatRefused, type OneOffDeps } from '../../containers/kept-containers';
import type { CreateRequest, ImageInspect } from '../../domain/engine-inspect';
import { codeOf, messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import type { Clock } from '../../lib/clock';
import type { Engine } from '../../ports/engine';
import { waitUntilHealthy } from '../../probes/wait-until-healthy';

/** Whose databases a throwaway server gets, and the backup that they come from. */
export interface DrillServer {
  container: string;
  workId: string;
}

export interface Throwaway extends DrillServer {
  image: ImageInspect;
  /** Settings as `name=value`: what it preloads, and the database that such a library is configured for. */
  preload: readonly string[];
  /** Its name; left out: postgres. */
  superuser?: string;
}

export interface Server {
  id: string;
  name: string;
}

const STARTS_WITHIN_MS = 5 * 60_000;
/** Indexes are built by several processes, which share memory: Docker's 64 MiB are too little for large ones. */
const SHARED_MEMORY = 256 * 1024 * 1024;
const SUPERUSER = 'postgres';
/** The entrypoint gives the data folder to the user postgres, and becomes it. */
const NEEDED_CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'];

/**
 * A fresh database server, without network, port or any volume of others, for as long as `work` takes; gone afterwards
 * with all its data. What an earlier one left is taken away first. Rejects with `drill_failed` when it does not come up.
 */
export async function withThrowaway<T>(
  deps: OneOffDeps,
  throwaway: Throwaway,
  work: (server: Server) => Promise<T>,
): Promise<T> {
  const { engine, clock } = deps;
  const name = asideName(throwaway.container, 'drill', throwaway.workId);
  await removeThrowaway(deps, throwaway);
  let result: T;
  try {
    const id = await engine.createContainer(name, requestFor(throwaway, randomBytes(24).toString('base64url')));
    await engine.start(id);
    await comesUp(engine, clock, { id, name });
    result = await work({ id, name });
  } catch (error) {
    await removeThrowaway(deps, throwaway).catch((second: unknown) => {
      rethrowEngineLost(second);
      throw new PilotError('drill_failed', `${messageOf(error)} ${messageOf(second)}`, { cause: error });
    });
    throw error;
  }
  await removeThrowaway(deps, throwaway);
  return result;
}

/** With its data. Not there is fine. */
export function removeThrowaway(deps: OneOffDeps, { container, workId }: DrillServer): Promise<void> {
  return repeatRefused(deps, async () => {
    const found = await inspectByName(deps.engine, asideName(container, 'drill', workId));
    if (found !== null) await removeOneOff(deps, { id: found.Id, container, role: 'drill', workId });
  });
}

/** Pure. What the image says of health, ports and labels is put out of force, so that it is not mistaken for a production server. */
export function requestFor(
  { image, preload, superuser = SUPERUSER }: Pick<Throwaway, 'image' | 'preload' | 'superuser'>,
  password: string,
): CreateRequest {
  const { Cmd, Labels } = image.Config ?? {};
  const ofCompose = Object.keys(Labels ?? {}).filter((label) => label.startsWith('com.docker.compose.'));
  return {
    body: {
      Image: image.Id,
      Cmd: preload.length === 0 ? null : [...(Cmd ?? ['postgres']), ...preload.flatMap((one) => ['-c', one])],
      Env: [`POSTGRES_USER=${superuser}`, `POSTGRES_DB=${SUPERUSER}`, `POSTGRES_PASSWORD=${password}`],
      Labels: { ...Object.fromEntries(ofCompose.map((label) => [label, ''])), 'diun.enable': 'false' },
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        AutoRemove: false,
        NetworkMode: 'none',
        PortBindings: {},
        PublishAllPorts: false,
        RestartPolicy: { Name: 'no' },
        CapDrop: ['ALL'],
        CapAdd: NEEDED_CAPABILITIES,
        SecurityOpt: ['no-new-privileges'],
        ShmSize: SHARED_MEMORY,
      },
      NetworkingConfig: { EndpointsConfig: {} },
    },
    connect: [],
  };
}

/** Rejects with `drill_failed` and the last lines of its log. */
export async function comesUp(engine: Engine, clock: Clock, { id, name }: Server): Promise<void> {
  const probe = { kind: 'postgres' } as const;
  try {
    // It has no network: it is asked inside, wherever this process runs.
    const question = { engine, selfId: null, clock, containerId: id, probe, timeoutMs: STARTS_WITHIN_MS };
    await waitUntilHealthy(question);
  } catch (error) {
    if (codeOf(error) !== 'unhealthy') throw error;
    const why = `A fresh server for the drill (${name}) did not come up, so nothing was restored: ${messageOf(error)}`;
    throw new PilotError('drill_failed', `${why}${await lastLines({ engine }, id)}`, { cause: error });
  }
}
