import { COMPOSE } from '../../../../domain/compose/compose-project';
import { readDependsOn, readRestartsWith } from '../../../../domain/compose/depends-on';
import type { ContainerInspect, ImageInspect } from '../../../../domain/engine-inspect';
import { repositoryOf, tryParseImageReference } from '../../../../domain/images/image-reference';
import { cleanPath } from '../../../../domain/recreate/own-mounts';
import { ownLabels } from '../../../../domain/labels/own-labels';
import { isEnabled } from '../../../../domain/labels/parse-flag';
import { refuse } from './strict';
import { shortDigest } from '../../../../domain/format';

/** A container as the operator created it, with the image that it runs. */
export interface Known {
  container: ContainerInspect;
  image: ImageInspect;
  /** The operator's own: an image gives itself none. */
  labels: Record<string, string>;
}

/** What the guard remembers of one process of its own. */
export interface Memory {
  /** Containers that were created through the guard, with what for. */
  created: Map<string, { role: Role; base: string }>;
  /** Commands that were prepared through the guard. */
  execs: Set<string>;
  /** Containers that were replaced, by the name that they had: one that was removed meanwhile may be created again. */
  replaced: Map<string, Known>;
  /** MAC addresses by network, of containers that were stopped, by ID: the engine shows them only while a container runs. */
  macs: Map<string, MacAddresses>;
}

/** By the name of the network. */
export type MacAddresses = Record<string, string>;

/** Swarm names the container of a task `SERVICE.SLOT.ID`. */
const TASK = /^(.+)\.[^.]+\.[0-9a-z]{25}$/;
const SERVICE_NAME = 'com.docker.swarm.service.name';
const MOST_REMEMBERED = 10_000;
/** As Linux follows them. */
const MOST_LINKS = 40;

export function newMemory(): Memory {
  return { created: new Map(), execs: new Set(), replaced: new Map(), macs: new Map() };
}

/** The oldest is forgotten first. */
export function remember(memory: Map<string, unknown> | Set<string>): void {
  if (memory.size <= MOST_REMEMBERED) return;
  const [oldest] = memory.keys();
  if (oldest !== undefined) memory.delete(oldest);
}

export async function knownContainer(sight: Sight, nameOrId: string): Promise<Known | null> {
  const container = await sight.container(nameOrId);
  if (container === null) return null;
  const image = (await sight.image(container.Image)) ?? { Id: container.Image, Config: null };
  return { container, image, labels: ownLabels(container.Config.Labels, image.Config?.Labels) };
}

/**
 * Every container of one family, but for one-offs; and the one of that name that was replaced and is gone. For a one-off that reads
 * or moves files, also the tasks of a Swarm service of that name, and what its files are read through while it has none.
 */
export async function familyOf(sight: Sight, memory: Memory, base: string, of: Role): Promise<Known[]> {
  const service = of === 'backup' || of === 'restore';
  const names = (await sight.containers()).flatMap(({ id, names: all }) =>
    all.map((name) => ({ id, ...readName(name) })),
  );
  const roles = ['plain', 'old', 'new', ...(service ? ['backup'] : [])];
  const isTask = (one: { base: string; role: Role }): boolean =>
    service && one.role === 'plain' && TASK.exec(one.base)?.[1] === base;
  const found: Known[] = [];
  for (const one of names.filter((each) => (each.base === base && roles.includes(each.role)) || isTask(each))) {
    const known = await knownContainer(sight, one.id);
    if (known === null) continue;
    if (one.base === base || known.container.Config.Labels?.[SERVICE_NAME] === base) found.push(known);
  }
  const gone = memory.replaced.get(base);
  return gone === undefined || found.some(({ container }) => container.Id === gone.container.Id)
    ? found
    : [...found, gone];
}

/** Of every container that the operator opened to updates. */
export async function watched(sight: Sight, memory: Memory): Promise<Known[]> {
  return [...(await everyContainer(sight)).filter(isWatched), ...memory.replaced.values()];
}

export async function everyContainer(sight: Sight): Promise<Known[]> {
  const all = await sight.containers();
  const found: Known[] = [];
  for (const { id } of all) {
    const known = await knownContainer(sight, id);
    if (known !== null) found.push(known);
  }
  return found;
}

export function isWatched({ labels }: Known): boolean {
  return isEnabled(labels);
}

/** What was created by diun-pilot: through this process, or by a name that only a create request can give (`RULES`, rename). */
export function isOwn({ container }: Known, { created }: Memory): boolean {
  return created.has(container.Id) || !['plain', 'old', 'new'].includes(readName(container.Name).role);
}

/** Whether it, or one of its family, was opened to updates: it is replaced, renamed and removed. */
export async function isReplaceable(sight: Sight, memory: Memory, known: Known): Promise<boolean> {
  if (isWatched(known)) return true;
  return (await familyOf(sight, memory, readName(known.container.Name).base, 'plain')).some(isWatched);
}

/**
 * Refuses to start, stop or restart what diun-pilot has no reason to: neither a label, nor that it depends on a container with
 * one. Those are stopped for a backup, or restarted with it (domain/compose/depends-on).
 */
export async function mustBeMovable(sight: Sight, memory: Memory, known: Known): Promise<void> {
  if (isOwn(known, memory) || (await hasReason(known, sight)) || (await isReplaceable(sight, memory, known))) return;
  if (await dependsOnReason(sight, memory, known)) return;
  refuse(
    `${known.container.Name.slice(1)} has none of the labels diun.enable, update.probe, backup.kind and renewal.role, and depends on no container with one`,
  );
}

async function dependsOnReason(sight: Sight, memory: Memory, known: Known): Promise<boolean> {
  const project = projectOf(known);
  if (project === '' || dependsOn(known).length === 0) return false;
  const all = [...(await everyContainer(sight)), ...memory.replaced.values()].filter(
    (each) => projectOf(each) === project,
  );
  const opened = new Set<string>();
  for (const each of all) if (await hasReason(each, sight)) opened.add(serviceOf(each));
  const restarted = withThoseRestarted(opened, all);
  return dependsOn(known).some((name) => opened.has(name)) || restartsWith(known).some((name) => restarted.has(name));
}

/** `restart: true` counts along the chain. */
function withThoseRestarted(services: ReadonlySet<string>, all: readonly Known[]): Set<string> {
  const found = new Set(services);
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const each of all) if (restartsWith(each).some((name) => found.has(name))) found.add(serviceOf(each));
  }
  return found;
}

const projectOf = ({ labels }: Known): string => labels[COMPOSE.project] ?? '';
const serviceOf = ({ labels }: Known): string => labels[COMPOSE.service] ?? '';
const dependsOn = ({ labels }: Known): string[] => readDependsOn(labels[COMPOSE.dependsOn]);
const restartsWith = ({ labels }: Known): string[] => readRestartsWith(labels[COMPOSE.dependsOn]);

/** Whether the operator's labels, or those of its Swarm service, give diun-pilot a reason to work in a container. */
export async function hasReason({ labels }: Known, sight: Pick<Sight, 'service'>): Promise<boolean> {
  if (isReason(labels)) return true;
  const serviceId = labels['com.docker.swarm.service.id'];
  return serviceId !== undefined && isReason((await sight.service(serviceId))?.Spec.Labels ?? {});
}

function isReason(labels: Record<string, string>): boolean {
  if (isEnabled(labels)) return true;
  return ['update.probe', 'backup.kind', 'renewal.role'].some((label) => (labels[label] ?? '').trim() !== '');
}

/** The repository by which a container was created; null: by an ID. */
export function repositoryNamed(reference: string): string | null {
  const parsed = tryParseImageReference(reference);
  return parsed === null ? null : repositoryOf(parsed);
}

/** Whether an image is known under a repository: it was pulled from there, or tagged so. */
export function isOfRepository({ RepoDigests, RepoTags }: ImageInspect, repository: string): boolean {
  return [...(RepoDigests ?? []), ...(RepoTags ?? [])].some((name) => repositoryNamed(name) === repository);
}

/** Refuses an image that is neither that of the container nor from its repository. */
export function mustBeItsImage({ container, image: own }: Known, image: ImageInspect): void {
  if (image.Id === own.Id) return;
  const repository = repositoryNamed(container.Config.Image);
  if (repository !== null && isOfRepository(image, repository)) return;
  refuse(`the image ${shortDigest(image.Id)} is not from the repository of ${container.Name.slice(1)}`);
}

/** What the guard itself reads of the engine. Null: it is not there. Rejects when the engine does not answer. */
export interface Sight {
  container(nameOrId: string): Promise<ContainerInspect | null>;
  /** Of every container, running or not. */
  containers(): Promise<{ id: string; names: string[] }[]>;
  image(reference: string): Promise<ImageInspect | null>;
  volume(name: string): Promise<VolumeInfo | null>;
  service(nameOrId: string): Promise<ServiceInfo | null>;
  /** None of an engine that is not a manager. */
  services(): Promise<ServiceInfo[]>;
  /** The folder of the host in which the engine has volumes, layers and configurations. Null: it does not say. */
  dataRoot(): Promise<string | null>;
  /** What a path inside a container names without symbolic links; `/`, which has everything, where they lead nowhere or in circles. */
  realPath(id: string, path: string): Promise<string>;
}

/** `options.device` of a `local` volume is a folder of the host. */
interface VolumeInfo {
  Driver: string;
  Options: Record<string, string> | null;
}

/** Of a Swarm service, as the engine reports it; nothing of a specification is read but labels and image. */
export interface ServiceInfo {
  ID: string;
  Spec: { Labels?: Record<string, string> | null; [field: string]: unknown };
  /** What `rollback=previous` leads to. */
  PreviousSpec?: Record<string, unknown> | null;
}

/** The image of a specification of a service; empty: it has none. */
export function imageIn(spec: Record<string, unknown>): string {
  const { ContainerSpec } = (spec['TaskTemplate'] ?? {}) as { ContainerSpec?: { Image?: unknown } };
  return typeof ContainerSpec?.Image === 'string' ? ContainerSpec.Image : '';
}

/** Of an engine that is asked over HTTP. `ask` resolves with the JSON of an answer, `linkAt` with where a link leads; null: 404, or no link. */
export function sightThrough(
  ask: (path: string) => Promise<unknown>,
  linkAt: (id: string, path: string) => Promise<string | null>,
): Sight {
  const at = (name: string): string => encodeURIComponent(name);
  return {
    container: (nameOrId) => ask(`/containers/${at(nameOrId)}/json`) as Promise<ContainerInspect | null>,
    containers: async () => {
      const list = ((await ask('/containers/json?all=1')) ?? []) as { Id: string; Names: string[] | null }[];
      return list.map(({ Id, Names }) => ({ id: Id, names: (Names ?? []).map((name) => name.replace(/^\//, '')) }));
    },
    image: (reference) => ask(`/images/${reference}/json`) as Promise<ImageInspect | null>,
    volume: (name) => ask(`/volumes/${at(name)}`) as Promise<VolumeInfo | null>,
    service: (nameOrId) => ask(`/services/${at(nameOrId)}`) as Promise<ServiceInfo | null>,
    services: async () => ((await ask('/services')) ?? []) as ServiceInfo[],
    dataRoot: async () => ((await ask('/info')) as { DockerRootDir?: string } | null)?.DockerRootDir || null,
    realPath: async (id, path) => {
      let left = partsOf(path);
      let real = '';
      for (let links = 0; links <= MOST_LINKS;) {
        const [part, ...rest] = left;
        if (part === undefined) return real === '' ? '/' : real;
        const target = await linkAt(id, `${real}/${part}`);
        if (target === '') return '/';
        if (target === null) [real, left] = [`${real}/${part}`, rest];
        else [real, left, links] = ['', [...partsOf(target), ...rest], links + 1];
      }
      return '/';
    },
  };
}

function partsOf(path: string): string[] {
  return cleanPath(path)
    .split('/')
    .filter((part) => part !== '');
}

/** What a name says of a container: whose it is, and what diun-pilot uses it for. `plain`: the name is the operator's. */
export type Role = 'plain' | 'old' | 'new' | 'check' | 'kept' | 'backup' | 'restore' | 'drill' | 'rehearsal';

// As src/containers/artifact-names.ts makes them, which an adapter cannot import; a test compares the two.
const OURS = /^(.+)\.diun-pilot-(old|new|check|kept|backup|restore|drill|rehearsal)-[0-9a-z]{10}$/;
const CANNOT_START = /^(.+)\.cannot-start-[0-9a-f]{12}$/;

/** `base`: the name without what diun-pilot appends. Containers of one base are one family. */
export function readName(name: string): { base: string; role: Role } {
  const bare = name.replace(/^\//, '');
  const [, ours, role] = OURS.exec(bare) ?? [];
  if (ours !== undefined) return { base: ours, role: role as Role };
  return { base: CANNOT_START.exec(bare)?.[1] ?? bare, role: 'plain' };
}

/** The name that Compose means a container to have: it makes one that replaces another as `ID_NAME`. Null: it has another form. */
export function meantByCompose(name: string): string | null {
  return /^[0-9a-f]{12}_(.+)$/.exec(name.replace(/^\//, ''))?.[1] ?? null;
}
