import { asideName } from '../containers/artifact-names';
import { healthOf } from '../containers/check-health';
import { compareFingerprints } from '../domain/data/compare-fingerprints';
import type { DataChange, DataFingerprint } from '../domain/data/data-fingerprint';
import type { CreateRequest, ImageInspect } from '../domain/engine-inspect';
import { codeOf, messageOf } from '../domain/errors';
import {
  loopbackOf,
  mountRequests,
  hostNamesOf,
  type Sandbox,
  serverInSandbox,
  trialRequest,
} from '../domain/rehearsal/trial-request';
import { count, restoreInto } from '../restores/drills/drill-databases';
import { comesUp, requestFor, type Server } from '../restores/drills/throwaway-server';
import { psqlOf } from '../restores/databases/psql';
import { pinned, type PinnedStorage } from '../restores/pinned-storage';
import { readFingerprint } from '../updates/fingerprint/read-fingerprint';
import { randomBytes } from 'node:crypto';
import { fillContainer } from './copy-mounts';
import { interruptible, mayGoOn, type RehearsalRun, removeRehearsal } from './rehearsal-run';
import { removeOneOff } from '../containers/kept-containers';
import { NotTried } from '../domain/backups/backup';
import type { ServerState } from '../domain/data/server-state';
import { readServerState } from '../restores/databases/read-server-state';
import { productionRequest, type Subject, type SubjectServer } from './subject';

/** What one image came to on a fresh copy of the data. */
export type TrialOutcome =
  | { healthy: true; seconds: number; seen: string; change: DataChange | null; rows: CountedRows[] }
  | Extract<HealthOutcome, { healthy: false }>;

/** Whether one container became healthy. */
export type HealthOutcome =
  | { healthy: true; seconds: number; seen: string }
  /** `words`: what was seen, and the last lines of the log. */
  | { healthy: false; words: string };

/** Tables and rows of one database, as text, before the image was started and once it was healthy. */
export interface CountedRows {
  database: string;
  before: string;
  after: string;
}

/** The databases of a trial, restored and running. */
interface Databases {
  servers: (SubjectServer & { server: Server })[];
  before: DataFingerprint | null;
  rows: Omit<CountedRows, 'after'>[];
}

/**
 * Starts an image on a copy of the data, isolated, and asks for its health as an update does. Nothing of it is left, whatever
 * happens. Rejects with `Interrupted`, `NoLongerNeeded`, `NotTried`, what a restore rejects with, and `engine_unreachable`.
 */
export async function tryImage(run: RehearsalRun, subject: Subject, image: ImageInspect): Promise<TrialOutcome> {
  const { rehearsal } = run;
  await removeRehearsal(run, rehearsal.id);
  try {
    return await tryOnCopy({ ...run, clock: interruptible(run, run.update.id) }, subject, image);
  } finally {
    await removeRehearsal(run, rehearsal.id);
  }
}

/** What became of a server's databases in one image, and of the applications of their set on it. */
export type ServerTrial = {
  /** Until everything was loaded and read. */
  seconds: number;
  state: ServerState;
  /** In the order in which they were given. */
  applications: { name: string; outcome: HealthOutcome }[];
};

export interface OnServer {
  image: ImageInspect;
  /** Of the server that is updated, and of its copy. */
  superuser: string;
  applications: readonly Subject[];
}

/**
 * Loads the dumps of a database server into an image as an update to it does, reads what is there, and starts each application in its
 * current version on it, one after the other. Nothing of it is left, whatever happens. Rejects as `tryImage`.
 */
export async function tryServer(
  run: RehearsalRun,
  subject: Subject,
  on: OnServer,
): Promise<({ healthy: true } & ServerTrial) | { healthy: false; words: string }> {
  const { rehearsal } = run;
  await removeRehearsal(run, rehearsal.id);
  try {
    const trial = await serverOnCopy({ ...run, clock: interruptible(run, run.update.id) }, subject, on);
    return { healthy: true, ...trial };
  } catch (error) {
    if (!['drill_failed', 'restore_failed', 'restore_refused'].includes(codeOf(error))) throw error;
    return { healthy: false, words: messageOf(error) };
  } finally {
    await removeRehearsal(run, rehearsal.id);
  }
}

async function serverOnCopy(run: RehearsalRun, subject: Subject, on: OnServer): Promise<ServerTrial> {
  const { image, superuser, applications } = on;
  const storage = pinned(run.storage);
  const hosts = hostsOf(subject, applications);
  const startedAt = run.clock.now().getTime();
  const { servers } = await restoreDatabases(run, storage, subject, { image, hosts, lasting: { superuser } });
  const own = servers.find(({ isTarget }) => isTarget);
  if (own === undefined) throw new NotTried(`The backup has no dump of ${subject.container.name}.`);
  const state = await readServerState(run.engine, own.server, run.onProgress);
  const seconds = Math.round((run.clock.now().getTime() - startedAt) / 1000);
  const tried: ServerTrial['applications'] = [];
  for (const each of applications) {
    const started = await startApplication(run, storage, each, { image: each.image, hosts, owner: own.server.id });
    const { name } = each.container;
    tried.push({ name, outcome: started.outcome });
    await removeOneOff(run, { id: started.id, container: name, role: 'rehearsal', workId: run.rehearsal.id });
  }
  return { seconds, state, applications: tried };
}

async function tryOnCopy(run: RehearsalRun, subject: Subject, image: ImageInspect): Promise<TrialOutcome> {
  const storage = pinned(run.storage);
  const hosts = hostsOf(subject);
  const own = subject.servers.find(({ isTarget }) => isTarget);
  const startedAt = run.clock.now().getTime();
  try {
    const databases = await restoreDatabases(run, storage, subject, { image, hosts });
    if (own !== undefined) {
      const seconds = Math.round((run.clock.now().getTime() - startedAt) / 1000);
      return {
        healthy: true,
        seconds,
        seen: 'the server started, and every database was restored into it',
        ...NO_CHANGE,
      };
    }
    const owner = databases.servers[0]?.server.id;
    const { outcome } = await startApplication(run, storage, subject, { image, hosts, owner });
    return outcome.healthy ? { ...outcome, ...(await changeInTrial(run, databases)) } : outcome;
  } catch (error) {
    if (own === undefined || codeOf(error) !== 'drill_failed') throw error;
    return { healthy: false, words: messageOf(error) };
  }
}

const NO_CHANGE = { change: null, rows: [] };

/** Every name by which something of the set is reached, with its address in the sandbox. */
function hostsOf(subject: Subject, applications: readonly Subject[] = []): Map<string, string> {
  const hosts = new Map<string, string>();
  subject.servers.forEach(({ names }, number) => {
    for (const name of names) if (!hosts.has(name)) hosts.set(name, loopbackOf(number));
  });
  for (const { inspect, container } of [subject, ...applications])
    for (const name of hostNamesOf(inspect, container.service)) if (!hosts.has(name)) hosts.set(name, loopbackOf(0));
  return hosts;
}

async function restoreDatabases(
  run: RehearsalRun,
  storage: PinnedStorage,
  subject: Subject,
  {
    image,
    hosts,
    lasting,
  }: { image: ImageInspect; hosts: ReadonlyMap<string, string>; lasting?: { superuser: string } },
): Promise<Databases> {
  const servers: Databases['servers'] = [];
  const rows: Databases['rows'] = [];
  for (const [number, each] of subject.servers.entries()) {
    mayGoOn(run, run.update.id);
    const { dumped, preload, production, isTarget } = each;
    const sandbox = sandboxFor(subject, servers[0]?.server.id, hosts);
    const used = isTarget ? image : each.image;
    const password = randomBytes(24).toString('base64url');
    const listens = subject.servers.length === 1 ? null : loopbackOf(number);
    const trial = { rehearsalId: run.rehearsal.id, image: used, sandbox, listens };
    const superuser = isTarget && lasting ? lasting : {};
    const request = serverInSandbox(requestFor({ image: used, preload, ...superuser }, password), production, trial);
    run.onProgress(`starting a server for the databases of ${dumped.container}`);
    const server = await createForTrial(run, dumped.container, request);
    await run.engine.start(server.id);
    await comesUp(run.engine, run.clock, server);
    mayGoOn(run, run.update.id);
    run.onProgress(`restoring the databases of ${dumped.container}`);
    const parts = { engine: run.engine, storage, onProgress: run.onProgress };
    await restoreInto(parts, server, dumped, isTarget && lasting ? 'lasting' : 'trial');
    servers.push({ ...each, server });
    if (lasting) continue;
    for (const counted of await countRows(run, { ...each, server }))
      rows.push({ database: counted[0], before: counted[1] });
  }
  const before = servers.length === 0 || lasting ? null : await fingerprintOf(run, servers);
  return { servers, rows, before };
}

async function startApplication(
  run: RehearsalRun,
  storage: PinnedStorage,
  subject: Subject,
  { image, hosts, owner }: { image: ImageInspect; hosts: ReadonlyMap<string, string>; owner: string | undefined },
): Promise<{ id: string; outcome: HealthOutcome }> {
  const { container, inspect, mounts, files } = subject;
  mayGoOn(run, run.update.id);
  const sandbox = sandboxFor(subject, owner, hosts);
  const trial = { rehearsalId: run.rehearsal.id, image, sandbox };
  const request = trialRequest(productionRequest(subject, image), inspect, mountRequests(mounts, files), trial);
  const { id } = await createForTrial(run, container.name, request);
  await fillContainer(run, storage, subject, id);
  mayGoOn(run, run.update.id);
  const startedAt = run.clock.now().getTime();
  let seen: string;
  try {
    run.onProgress(`waiting for the health of ${container.name}`);
    await run.engine.start(id);
    seen = await healthOf(run, id, container, run.onProgress);
  } catch (error) {
    // A start that the engine refuses is the image's: it names a command that is not in it.
    if (!['unhealthy', 'engine_refused'].includes(codeOf(error))) throw error;
    return { id, outcome: { healthy: false, words: messageOf(error) } };
  }
  const seconds = Math.round((run.clock.now().getTime() - startedAt) / 1000);
  return { id, outcome: { healthy: true, seconds, seen } };
}

async function changeInTrial(
  run: RehearsalRun,
  { servers, before, rows }: Databases,
): Promise<Pick<Extract<TrialOutcome, { healthy: true }>, 'change' | 'rows'>> {
  if (before === null) return NO_CHANGE;
  const change = compareFingerprints(before, await fingerprintOf(run, servers));
  const now = new Map<string, string>();
  for (const server of servers)
    for (const [database, counted] of await countRows(run, server)) now.set(database, counted);
  return { change, rows: rows.map((row) => ({ ...row, after: now.get(row.database) ?? 'gone' })) };
}

function fingerprintOf(run: RehearsalRun, servers: Databases['servers']): Promise<DataFingerprint> {
  const named = servers.map(({ server: { id }, dumped }) => ({ id, name: dumped.container }));
  return readFingerprint(run, named, run.onProgress);
}

/** Of each database that the backup holds; one that a migration has dropped is left out. */
async function countRows(
  { engine }: RehearsalRun,
  { server, dumped }: Databases['servers'][number],
): Promise<[string, string][]> {
  const psql = await psqlOf(engine, server);
  const there = new Set(await psql.list('SELECT datname FROM pg_database WHERE datallowconn'));
  const counted: [string, string][] = [];
  for (const item of dumped.databases.filter(({ name }) => there.has(name)))
    counted.push([`database ${item.name} of ${item.container}`, await count({ engine }, server, psql, item)]);
  return counted;
}

function sandboxFor({ inspect }: Subject, owner: string | undefined, hosts: ReadonlyMap<string, string>): Sandbox {
  if (owner !== undefined) return { kind: 'joined', owner };
  const { Hostname } = inspect.Config;
  const isEngines = !Hostname || inspect.Id.startsWith(Hostname);
  return { kind: 'own', hosts, hostname: isEngines ? null : Hostname };
}

export async function createForTrial(run: RehearsalRun, of: string, request: CreateRequest): Promise<Server> {
  const name = asideName(of, 'rehearsal', run.rehearsal.id);
  return { id: await run.engine.createContainer(name, request), name };
}
