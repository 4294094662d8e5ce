import { asideName } from '../../containers/artifact-names';
import { insistOr } from '../../containers/insist';
import { removeByName } from '../../containers/start-stop-remove';
import type { ContainerInspect, CreateRequest, HostConfig, ImageInspect } from '../../domain/engine-inspect';
import { codeOf, messageOf, PilotError } from '../../domain/errors';
import type { Clock } from '../../lib/clock';
import type { Logger } from '../../lib/logger';
import type { Engine } from '../../ports/engine';
import { mountsFor } from './swap-places';

type MountRequest = Pick<HostConfig, 'Binds' | 'Mounts'>;

const CAPABILITIES = {
  /** To move files of any owner with their owners, modes and capabilities. */
  move: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETFCAP'],
  /** To make files, and to become their owner for that. */
  become: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'],
};

export interface OneOffDeps {
  engine: Engine;
  clock: Clock;
  logger: Logger;
}

export interface OneOff {
  /** Whose files it moves, running or not. */
  of: { id: string; name: string };
  /** Id of an image with a shell. */
  image: string;
  /** Makes its name the only one: the restore's mark. */
  mark: string;
  script: string;
  /** The path whose mounts it has; null: it has none. */
  path: string | null;
  args?: readonly string[];
  /** Left out: `move`. */
  capabilities?: keyof typeof CAPABILITIES;
}

/**
 * Runs a shell script in a container of its own: root with the few capabilities that moving files needs, the mounts of one
 * path of another container, no network, no socket and no device. It is removed afterwards, and what an earlier one left
 * first. Rejects with `restore_failed` and what it said.
 */
export async function runOneOff(deps: OneOffDeps, oneOff: OneOff): Promise<string[]> {
  const { engine } = deps;
  const name = asideName(oneOff.of.name, 'restore', oneOff.mark);
  await removeByName({ engine }, name);
  try {
    const id = await engine.createContainer(name, await requestFor(engine, oneOff));
    await engine.start(id);
    const exitCode = await engine.wait(id);
    const said = await engine.logs(id, 200);
    if (exitCode === 0) return said;
    throw new PilotError(
      'restore_failed',
      `Files of ${oneOff.of.name} could not be moved: ${said.slice(-3).join(' ')}`,
    );
  } finally {
    // A refusal must not undo what it has done: at the end of the work it is listed, and removed later (`lookForLeftovers`).
    await insistOr(deps, `the removal of ${name}`, () => removeByName(deps, name), undefined);
  }
}

/** The first of the images that has a shell and the tools, which is asked by running it; null: none has. */
export async function imageWithShell(
  deps: OneOffDeps,
  of: OneOff['of'],
  images: readonly string[],
  run: Pick<OneOff, 'mark' | 'script' | 'path'>,
): Promise<string | null> {
  for (const image of new Set(images)) {
    try {
      await runOneOff(deps, { of, image, ...run });
      return image;
    } catch (error) {
      // Without a shell it does not even start.
      if (!['restore_failed', 'engine_refused', 'image_not_found'].includes(codeOf(error))) throw error;
    }
  }
  return null;
}

async function requestFor(engine: Engine, oneOff: OneOff): Promise<CreateRequest> {
  try {
    const owner = await engine.inspectContainer(oneOff.of.id);
    const mounts = oneOff.path === null ? { Binds: [], Mounts: [] } : mountsFor(owner, oneOff.path);
    return request(oneOff, mounts, declaredUnmounted(mounts, await engine.inspectImage(oneOff.image)));
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
    const message = `${oneOff.of.name} was removed meanwhile: ${messageOf(error)}`;
    throw new PilotError('restore_failed', message, { cause: error });
  }
}

/**
 * A container with all that one has mounted, for its files to be read and moved while it is stopped or gone: it is created, and
 * never started.
 */
export async function readerOf(engine: Engine, owner: ContainerInspect): Promise<CreateRequest> {
  const mounts = mountsFor(owner, '/');
  const { body, connect } = request(
    { of: { id: owner.Id, name: owner.Name.slice(1) }, image: owner.Image, mark: '', script: '', path: '/' },
    mounts,
    declaredUnmounted(mounts, await engine.inspectImage(owner.Image)),
  );
  return { connect, body: { ...body, Entrypoint: ['true'], Cmd: [], HostConfig: { ...body.HostConfig, CapAdd: [] } } };
}

/** What the image declares as volumes and is not mounted: otherwise the engine would create an anonymous one for each, which would never be removed. */
function declaredUnmounted({ Binds, Mounts }: MountRequest, { Config }: ImageInspect): string[] {
  const mounted = new Set([
    ...(Binds ?? []).map((bind) => bind.split(':')[1]),
    ...(Mounts ?? []).map(({ Target }) => Target),
  ]);
  return Object.keys(Config?.Volumes ?? {}).filter((path) => !mounted.has(path));
}

function request(
  { image, script, args = [], capabilities = 'move' }: OneOff,
  mounts: MountRequest,
  inMemory: readonly string[],
): CreateRequest {
  return {
    body: {
      Image: image,
      Entrypoint: ['/bin/sh'],
      Cmd: ['-c', script, 'sh', ...args],
      User: '0:0',
      WorkingDir: '/',
      Env: ['LC_ALL=C'],
      Labels: {},
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        AutoRemove: false,
        NetworkMode: 'none',
        RestartPolicy: { Name: 'no' },
        ...mounts,
        CapDrop: ['ALL'],
        CapAdd: CAPABILITIES[capabilities],
        SecurityOpt: ['no-new-privileges'],
        Tmpfs: Object.fromEntries(inMemory.map((path) => [path, ''])),
      },
      NetworkingConfig: { EndpointsConfig: {} },
    },
    connect: [],
  };
}
