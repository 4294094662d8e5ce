import type { IncomingMessage } from 'node:http';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import { BOUNDS } from '../../domain/bounds';
import type { ContainerInspect, EndpointSettings, ImageInspect } from '../../domain/engine-inspect';
import { linesWithin } from '../../lib/streams';
import type {
  ContainerAction,
  ContainerEvent,
  Engine,
  EngineVersion,
  ListedContainer,
  ListedImage,
} from '../../ports/engine';
import { createContainer } from './create-container';
import { dockerAddress, Wire } from './wire';
import { engineStatusOf, toEngineError } from './engine-errors';
import { changes, stat } from './layer';
import { pull, registryDigest } from './registry/pull';
import { output, run } from './streams/exec';
import { MountArchive } from './streams/mount-archive';
import { readLines } from './streams/output';

/** A start waits for volumes and networks, a removal for the file system. */
const LIFECYCLE_MS = 5 * 60_000;
const STOP_MARGIN_MS = 60_000;

/**
 * The engine behind `DOCKER_HOST`. It need not be up yet: nothing is asked before the first call, and an engine that went
 * away is found again by the next one. Throws `invalid_settings` for an address that cannot be.
 */
export function createDockerEngine(settings: { dockerHost: string | null; dockerConfigDir: string | null }): Engine {
  const address = dockerAddress(settings.dockerHost);
  const wire = new Wire(address);
  return {
    address: address.host === undefined ? null : { host: address.host, port: address.port ?? '' },
    version: () => version(wire),
    containerIds: () => containerIds(wire),
    containers: () => containers(wire),
    images: () => images(wire),
    inspectContainer: (nameOrId) => inspectContainer(wire, nameOrId),
    inspectImage: (reference) => inspectImage(wire, reference),
    registryDigest: (reference) => registryDigest(wire, settings.dockerConfigDir, reference),
    pull: (...asked) => pullImage(wire, settings.dockerConfigDir, ...asked),
    tag: (imageId, reference) => tag(wire, imageId, reference),
    untag: (reference) => settled(wire.command({ method: 'DELETE', path: `/images/${reference}` }), [404]),
    removeImage: (id) => settled(wire.command({ method: 'DELETE', path: `/images/${id}` }), [404]),
    createContainer: (name, request) => createContainer(wire, name, request),
    rename: (id, name) => wire.command({ method: 'POST', path: `${at(id)}/rename`, query: { name } }),
    updateContainer: async (id, body) => void (await wire.call({ method: 'POST', path: `${at(id)}/update`, body })),
    start: (id) => settled(wire.command({ method: 'POST', path: `${at(id)}/start`, timeoutMs: LIFECYCLE_MS }), [304]),
    stop: (id, seconds) => settled(stopOrRestart(wire, 'stop', id, seconds), [304]),
    remove: (id, also) => remove(wire, id, also?.volumes ?? false),
    restart: (id, seconds) => stopOrRestart(wire, 'restart', id, seconds),
    wait: (id, signal) => wait(wire, id, signal),
    events: (actions, signal) => containerEvents(wire, actions, signal),
    logs: (id, lines, since) => logs(wire, id, lines, since),
    exec: (id, command, options) => run(wire, id, command, options),
    execOutput: (id, command, options) => output(wire, id, command, options),
    execInput: (id, command, input, options) => run(wire, id, command, options, input),
    changes: (id) => changes(wire, id),
    stat: (id, path) => stat(wire, id, path),
    archive: (id, path) => archive(wire, id, path),
    extract: (id, path, tar) => wire.send({ method: 'PUT', path: `${at(id)}/archive`, query: { path } }, tar),
  };
}

function at(nameOrId: string): `/containers/${string}` {
  return `/containers/${encodeURIComponent(nameOrId)}`;
}

/** Podman gives a container whose health check is off a health without a status; Docker gives it none. */
async function inspectContainer(wire: Wire, nameOrId: string): Promise<ContainerInspect> {
  const found = await wire.call<ContainerInspect>({ method: 'GET', path: `${at(nameOrId)}/json` });
  if (found.State.Health?.Status !== '') return found;
  delete found.State.Health;
  return found;
}

function inspectImage(wire: Wire, reference: string): Promise<ImageInspect> {
  return wire.call({ method: 'GET', path: `/images/${reference}/json` });
}

async function pullImage(
  wire: Wire,
  configDir: string | null,
  ...[digestReference, onProgress, platform]: Parameters<Engine['pull']>
): Promise<string> {
  await pull(wire, configDir, { digestReference, platform }, onProgress);
  return (await inspectImage(wire, digestReference)).Id;
}

async function version(wire: Wire): Promise<EngineVersion> {
  const version = await wire.call<{ Version: string; Os: string; Arch: string }>({ method: 'GET', path: '/version' });
  return { engine: version.Version, api: await wire.apiVersion(), os: version.Os, architecture: version.Arch };
}

async function containerIds(wire: Wire): Promise<string[]> {
  const all = await wire.call<{ Id: string }[]>({ method: 'GET', path: '/containers/json', query: { all: 'true' } });
  return all.map(({ Id }) => Id);
}

function tag(wire: Wire, imageId: string, reference: string): Promise<void> {
  const at = reference.lastIndexOf(':');
  const isTag = at > reference.lastIndexOf('/');
  const [repo, name] = isTag ? [reference.slice(0, at), reference.slice(at + 1)] : [reference, 'latest'];
  return wire.command({ method: 'POST', path: `/images/${imageId}/tag`, query: { repo, tag: name } });
}

/** The engine waits for the container's own timeout, -1 being for ever; so do we, and a margin. */
async function stopOrRestart(wire: Wire, act: 'stop' | 'restart', id: string, seconds?: number): Promise<void> {
  const { Id, Config } = await inspectContainer(wire, id);
  const patience = seconds ?? Config.StopTimeout ?? 10;
  const timeoutMs = patience < 0 ? null : patience * 1000 + STOP_MARGIN_MS;
  const query = { t: seconds?.toString() };
  return wire.command({ method: 'POST', path: `${at(Id)}/${act}`, query, timeoutMs });
}

async function remove(wire: Wire, id: string, volumes: boolean): Promise<void> {
  const query = { v: String(volumes), force: 'false' };
  const removal = wire.command({ method: 'DELETE', path: at(id), query, timeoutMs: LIFECYCLE_MS });
  await settled(removal, [404], /removal of container .* is already in progress/i);
}

async function wait(wire: Wire, id: string, signal?: AbortSignal): Promise<number> {
  const call = { method: 'POST', path: `${at(id)}/wait`, timeoutMs: null, signal } as const;
  return (await wire.call<{ StatusCode: number }>(call)).StatusCode;
}

async function logs(wire: Wire, id: string, lines: number, since?: string): Promise<string[]> {
  const { Id, Config } = await inspectContainer(wire, id);
  const query = { stdout: 'true', stderr: 'true', tail: lines.toString(), since: since && unixTime(since) };
  return readLines(await wire.stream({ method: 'GET', path: `${at(Id)}/logs`, query }), Config.Tty ?? false, lines);
}

/** The engine takes no ISO 8601 here, and its own times have nanoseconds. */
function unixTime(iso: string): string {
  const fraction = /\.(\d+)Z$/.exec(iso)?.[1] ?? '0';
  return `${Math.floor(Date.parse(iso) / 1000)}.${fraction}`;
}

async function archive(wire: Wire, id: string, path: string): Promise<Readable> {
  const answer = await wire.stream({ method: 'GET', path: `${at(id)}/archive`, query: { path } });
  const tar = new PassThrough({ highWaterMark: 1024 * 1024 });
  const cut = (error?: Error): void => void tar.destroy(toEngineError(error ?? new Error('the answer was cut')));
  answer.once('error', cut);
  answer.once('close', () => !answer.complete && cut());
  tar.once('close', () => answer.destroy());
  answer.pipe(tar);
  return (await wire.isPodman()) ? inDockersForm(tar, path) : tar;
}

function inDockersForm(tar: Readable, path: string): Readable {
  const named = new MountArchive(path);
  // The error is that of `named`, which its reader hears.
  pipeline(tar, named, () => undefined);
  return named;
}

/** The engine's answer that the state is already reached is not a failure. */
async function settled(call: Promise<void>, statuses: number[], words?: RegExp): Promise<void> {
  try {
    await call;
  } catch (error) {
    const status = engineStatusOf(error) ?? 0;
    if (!statuses.includes(status) && !(words && words.test((error as Error).message))) throw error;
  }
}

/** What is read of `GET /containers/json`. `Names` also has a name for each legacy link, such as `/app/db`. */
interface ContainerSummary {
  Id: string;
  Names: string[] | null;
  State: string;
  NetworkSettings: { Networks: Record<string, EndpointSettings> | null } | null;
}

/** What is read of `GET /images/json`. */
interface ImageSummary {
  Id: string;
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
}

/** In these states an inspect says `Running` (moby, container/state.go). */
const RUNNING = new Set(['running', 'paused', 'restarting']);

async function containers(wire: Wire): Promise<ListedContainer[]> {
  const query = { all: 'true' };
  const all = await wire.call<ContainerSummary[]>({ method: 'GET', path: '/containers/json', query });
  return all.map(({ Id, Names, State, NetworkSettings }) => ({
    id: Id,
    name: Names?.find((name) => name.lastIndexOf('/') === 0)?.slice(1) ?? null,
    running: RUNNING.has(State),
    status: State as ListedContainer['status'],
    networks: NetworkSettings?.Networks ?? {},
  }));
}

async function images(wire: Wire): Promise<ListedImage[]> {
  const all = await wire.call<ImageSummary[]>({ method: 'GET', path: '/images/json' });
  return all.map(({ Id, RepoTags, RepoDigests }) => ({
    id: Id,
    repoTags: (RepoTags ?? []).filter(isNamed),
    repoDigests: (RepoDigests ?? []).filter(isNamed),
  }));
}

/** Before API 1.43 an image without a name is listed as `<none>:<none>`; an inspect has no such name. */
function isNamed(name: string): boolean {
  return !name.startsWith('<none>');
}

/** What is read of a line of `GET /events` (docs.docker.com/reference/api/engine, SystemEvents). */
interface Message {
  Action: string;
  Actor: { ID: string };
}

async function containerEvents(
  wire: Wire,
  actions: readonly ContainerAction[],
  signal: AbortSignal,
): Promise<AsyncIterable<ContainerEvent>> {
  const filters = JSON.stringify({ type: ['container'], event: actions });
  return read(await wire.stream({ method: 'GET', path: '/events', query: { filters }, signal }), signal);
}

async function* read(answer: IncomingMessage, signal: AbortSignal): AsyncGenerator<ContainerEvent, never> {
  try {
    for await (const { Action, Actor } of messages(answer)) {
      yield { action: Action as ContainerAction, containerId: Actor.ID };
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : toEngineError(error);
  } finally {
    answer.destroy();
  }
  throw signal.aborted ? signal.reason : toEngineError(new Error('the engine ended its events'));
}

async function* messages(answer: IncomingMessage): AsyncGenerator<Message> {
  for await (const line of linesWithin(answer, BOUNDS.engineLine.bytes)) {
    if (line.trim() !== '') yield JSON.parse(line) as Message;
  }
}
