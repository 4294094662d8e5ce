import type { Deps } from '../../deps';
import { composeProjectOf } from '../../domain/compose/compose-project';
import { lifecycleHooks } from '../../domain/compose/lifecycle-hooks';
import type { Container } from '../../domain/container';
import type { ContainerInspect, ImageInspect } from '../../domain/engine-inspect';
import { codeOf, messageOf, rethrowEngineLost } from '../../domain/errors';
import { runsUnderShell } from '../../domain/handover';
import {
  linksTo,
  namespacesOf,
  settingOf,
  type SharedNamespace,
  sharedNamespaces,
} from '../../domain/network/shared-network';
import {
  copiedText,
  listed,
  lostText,
  NOTHING_TO_SAY,
  refusalText,
  type CarryOver,
  type LayerFiles,
  type Refusal,
} from '../../domain/recreate/carry-over';
import { environmentOf } from '../../domain/recreate/own-config';
import { unknownFields } from '../../domain/recreate/known-fields';
import { isMounted, MOST_KEPT_BYTES, ownPaths, unmountedBackupPaths } from '../../domain/recreate/layer';
import { fewAtATime } from '../../lib/promises';
import { isOurs } from '../artifact-names';
import { inspectAll, inspectIfThere } from '../read-containers';
import { layerFiles } from './layer-files';

type LooksAhead = Pick<Deps, 'engine' | 'projectFiles' | 'logger'>;

/** A container with the image that it runs, and the files in its own layer. */
export interface Looked {
  container: Container;
  inspect: ContainerInspect;
  image: ImageInspect;
  files: LayerFiles;
}

/**
 * Everything that keeps a container from being replaced by one that is the same, known before anything is stopped. Used by
 * the preflight of an update and by `check`. Rejects only with `engine_unreachable`.
 */
export async function carryOverRefusals(deps: LooksAhead, looked: Looked): Promise<Refusal[]> {
  return [
    ...unknownFields(looked.inspect).map(unknownField),
    ...(await missingOwners(deps, looked)),
    ...(await guests(deps, looked)),
    ...(await dataOutsideOfVolumes(deps, looked)),
    ...tooMuchOutsideOfVolumes(looked),
    ...(await hooks(deps, looked)),
  ];
}

/** All refusals as one text. */
export function refusalsText(refusals: readonly Refusal[]): string {
  return refusals.map(refusalText).join(' ');
}

function unknownField(field: string): Refusal {
  return {
    field,
    code: 'recreate_refused',
    reason: 'this version of diun-pilot does not know the setting, so the new container might not have it.',
    remedy: 'Upgrade diun-pilot, or update the container with docker compose.',
  };
}

/** A re-created container has another ID, and no container can be started in a namespace of one that is gone. */
async function missingOwners({ engine }: LooksAhead, { container, inspect }: Looked): Promise<Refusal[]> {
  const owners = await Promise.all(
    sharedNamespaces(inspect).map(async ({ kind, owner }) => ({ kind, found: await inspectIfThere(engine, owner) })),
  );
  return owners
    .filter(({ found }) => !found?.State.Running)
    .map(({ kind, found }): Refusal => {
      const name = found?.Name.slice(1);
      return {
        field: settingOf(kind),
        code: 'preflight_blocked',
        reason: `${container.name} uses the ${kind} namespace of ${name === undefined ? 'a container that no longer exists' : `${name}, which does not run`}, so no new container can join it.`,
        remedy:
          name === undefined
            ? 'Re-create both with docker compose up -d.'
            : `Start it first with docker start ${name}.`,
      };
    });
}

/** Containers that joined a namespace of this container, or link to it, would lose it with the old one. A retained, stopped one does not count. */
async function guests({ engine }: LooksAhead, { container, inspect }: Looked): Promise<Refusal[]> {
  const others = (await inspectAll(engine)).filter(({ Id, Name }) => Id !== inspect.Id && !isOurs(Name));
  const found = others.flatMap((other) =>
    namespacesOf(inspect, other).map((kind) => ({ kind, name: other.Name.slice(1) })),
  );
  const kinds = [...new Set(found.map(({ kind }) => kind))];
  const namesOf = (wanted: SharedNamespace['kind']): string[] =>
    found.filter(({ kind }) => kind === wanted).map(({ name }) => name);
  const linked = others.filter((other) => linksTo(inspect, other)).map(({ Name }) => Name.slice(1));
  return [
    ...kinds.map((kind) => guestsOf(container.name, kind, namesOf(kind))),
    ...(linked.length === 0 ? [] : [linkedTo(container.name, linked)]),
  ];
}

function linkedTo(name: string, names: readonly string[]): Refusal {
  return {
    field: '--link',
    code: 'preflight_blocked',
    reason: `${names.join(', ')} ${names.length === 1 ? 'links' : 'link'} to ${name} (--link), would lose it, and could not be started again.`,
    remedy: 'Connect them by a network of their own instead of links, or re-create all of them by hand.',
  };
}

function guestsOf(name: string, kind: SharedNamespace['kind'], names: readonly string[]): Refusal {
  return {
    field: settingOf(kind),
    code: 'preflight_blocked',
    reason: `${names.join(', ')} ${names.length === 1 ? 'uses' : 'use'} the ${kind} namespace of ${name} (${settingOf(kind)}) and would lose it.`,
    remedy: 'Update it with docker compose, which re-creates them together.',
  };
}

/** The operator says that it is data (`backup.kind`), and it would be lost with the old container. */
async function dataOutsideOfVolumes({ engine }: LooksAhead, { container, inspect }: Looked): Promise<Refusal[]> {
  const { backup } = container.labels;
  if (backup === null) return [];
  const own = ownPaths(await engine.changes(inspect.Id), inspect);
  if (backup.kind === 'files') {
    return unmountedBackupPaths(backup.paths, own, inspect).map((path) => outsideOfVolumes('backup.paths', path));
  }
  const directory = environmentOf(inspect.Config.Env).get('PGDATA') ?? '/var/lib/postgresql/data';
  const isLost = !isMounted(directory, inspect) && own.includes(`${directory}/PG_VERSION`);
  return isLost ? [outsideOfVolumes('PGDATA', directory)] : [];
}

/** Such files are copied to be kept after the update. So much of them is data, whether labelled so or not. */
function tooMuchOutsideOfVolumes({ container, files }: Looked): Refusal[] {
  if (files.bytes <= MOST_KEPT_BYTES) return [];
  const size = `${(files.bytes / GIB).toFixed(1)} GiB`;
  return [
    {
      field: 'files outside of volumes',
      code: 'recreate_refused',
      reason: `${container.name} has ${size} in its own layer (${listed([...files.lost, ...files.edited])}), which would be lost with the old container. diun-pilot copies at most ${MOST_KEPT_BYTES / GIB} GiB.`,
      remedy: 'Copy the files out (docker cp), mount a volume there, and copy them back.',
    },
  ];
}

const GIB = 1024 ** 3;

function outsideOfVolumes(field: string, path: string): Refusal {
  return {
    field,
    code: 'recreate_refused',
    reason: `${path} is not in a volume or bind mount, so its data would be lost with the old container.`,
    remedy: `Copy it out (docker cp), mount a volume at ${path}, and copy it back.`,
  };
}

/** Seen only where the files of the project are mounted into diun-pilot: no label of Compose names its hooks. */
async function hooks(deps: LooksAhead, { container, inspect, image }: Looked): Promise<Refusal[]> {
  const project = composeProjectOf(inspect, image);
  if (project === null) return [];
  const texts: string[] = [];
  for (const path of project.composeFiles) {
    try {
      const text = await deps.projectFiles.read({ folder: project.folder, path });
      if (text !== null) texts.push(text);
    } catch (error) {
      if (codeOf(error) !== 'project_file_refused') throw error;
      deps.logger.info('a compose file cannot be read for its hooks', { container: container.name, path });
    }
  }
  return lifecycleHooks(project.service, texts).map((hook) => ({
    field: hook,
    code: 'recreate_refused',
    reason: `service ${project.service} has ${hook} commands, which only Compose runs.`,
    remedy: `Update it with docker compose: docker compose pull ${project.service} && docker compose up -d ${project.service}`,
  }));
}

const AT_ONCE = 4;

/**
 * What a replacement of the container would be refused for or would lose, for plan and `check`. A container that cannot be
 * examined has nothing to say: its update reports the reason. Rejects only with `engine_unreachable`.
 */
export async function foreseeCarryOver(deps: LooksAhead, container: Container): Promise<CarryOver> {
  try {
    const inspect = await deps.engine.inspectContainer(container.id);
    const image = await deps.engine.inspectImage(inspect.Image);
    const files = await layerFiles(deps.engine, inspect);
    const notes = [
      copiedText(files),
      lostText(container.name, files),
      container.labels.strategy === 'handover' && runsUnderShell(inspect) ? underShell(container.name) : null,
    ];
    return {
      refusals: await carryOverRefusals(deps, { container, inspect, image, files }),
      notes: notes.filter((note) => note !== null),
    };
  } catch (error) {
    rethrowEngineLost(error);
    const fields = { container: container.name, reason: messageOf(error) };
    deps.logger.warn('what an update would carry over is not known', fields);
    return NOTHING_TO_SAY;
  }
}

/** The same of several, by ID. */
export async function foreseeCarryOvers(
  deps: LooksAhead,
  containers: readonly Container[],
): Promise<ReadonlyMap<string, CarryOver>> {
  const found = await fewAtATime(containers, AT_ONCE, (container) => foreseeCarryOver(deps, container));
  return new Map(containers.map(({ id }, index) => [id, found[index] ?? NOTHING_TO_SAY]));
}

function underShell(name: string): string {
  return `The main process of ${name} is a shell, which does not forward the stop signal: in a handover, the old container is killed and its open requests are lost. Start the server with exec, or make it the command.`;
}
