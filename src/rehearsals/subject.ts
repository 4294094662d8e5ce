import { afterGoodBackup } from '../backups/set-notices';
import { type DumpedServer, holdsMembers, serversIn } from '../backups/backup-set';
import { takeBackup } from '../backups/take-backup';
import { askedPlatform, layerFiles } from '../containers/carry-over/layer-files';
import { inspectIfThere, readContainers } from '../containers/read-containers';
import {
  type BackupItem,
  type BackupRecord,
  isServer,
  membersOf,
  NotTried,
  backupPlaceOf,
  samePlace,
} from '../domain/backups/backup';
import type { Container } from '../domain/container';
import type { ContainerInspect, CreateRequest, ImageInspect } from '../domain/engine-inspect';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { createRequest } from '../domain/recreate/create-request';
import { obstacleTo } from '../domain/rehearsal/obstacles';
import { hostNamesOf, type TrialMount, trialMounts } from '../domain/rehearsal/trial-request';
import { intervalMs } from '../lib/due-times';
import { imageForDrill, preloadedBy } from '../restores/drills/drill-set';
import type { RehearsalRun } from './rehearsal-run';

/** What is rehearsed, read once: both trials start from the same. */
export interface Subject {
  /** Every container of the engine. */
  all: readonly Container[];
  container: Container;
  inspect: ContainerInspect;
  image: ImageInspect;
  platform: string | undefined;
  set: ChosenSet | null;
  servers: SubjectServer[];
  mounts: TrialMount[];
  /** Those of the mounts that are single files. */
  files: ReadonlySet<string>;
  /** Files of the backup that are the container's own. */
  restored: BackupItem[];
  /** Configs and secrets that Compose wrote into the container's own layer. */
  layer: string[];
}

export interface SubjectServer {
  dumped: DumpedServer;
  image: ImageInspect;
  preload: string[];
  production: ContainerInspect | null;
  /** Under which the application reaches it. */
  names: string[];
  /** The update is of this very server. */
  isTarget: boolean;
}

/** Rejects with `NotTried`, with the reason, when the container cannot be tried in isolation. */
export async function lookAtSubject(run: RehearsalRun): Promise<Subject> {
  const { engine, update } = run;
  const all = await readContainers(engine, run.selfId);
  const container = all.find(({ name }) => name === update.container);
  const inspect = container === undefined ? null : await inspectIfThere(engine, container.id);
  if (container === undefined || inspect === null) throw new NotTried(`There is no container ${update.container} now.`);
  mustBeIsolated(container, inspect);
  const set = await chooseSet(run, container, all);
  const servers = await serversOf(run, container, all, set?.record.items ?? []);
  return completeSubject(run, { container, inspect, all, set, servers });
}

/** Another container of the same set, with the same servers. Rejects as `lookAtSubject`. */
export async function ofContainer(
  run: RehearsalRun,
  container: Container,
  { all, set, servers }: Pick<Subject, 'all' | 'set' | 'servers'>,
): Promise<Subject> {
  const inspect = await inspectIfThere(run.engine, container.id);
  if (inspect === null) throw new NotTried(`There is no container ${container.name} now.`);
  mustBeIsolated(container, inspect);
  return completeSubject(run, { container, inspect, all, set, servers });
}

function mustBeIsolated({ name }: Container, inspect: ContainerInspect): void {
  const obstacle = obstacleTo(inspect);
  if (obstacle !== null) throw new NotTried(`${name} cannot be tried in isolation: ${obstacle}.`);
}

async function completeSubject(
  run: RehearsalRun,
  given: Pick<Subject, 'container' | 'inspect' | 'all' | 'set' | 'servers'>,
): Promise<Subject> {
  const { engine } = run;
  const { container, inspect, set } = given;
  const image = await engine.inspectImage(inspect.Image);
  const items = set?.record.items ?? [];
  const restored = items.filter((item) => item.kind === 'files' && item.container === container.name);
  const mounts = isServer(container)
    ? []
    : trialMounts(
        inspect.Mounts,
        restored.map(({ name }) => name),
      );
  return {
    ...{ ...given, image, mounts, restored },
    ...(await askedPlatform(engine, inspect, image)),
    files: await fileMounts(run, inspect, mounts),
    layer: (await layerFiles(engine, inspect)).copied,
  };
}

/** As an update would create it on this image. */
export function productionRequest({ inspect, image, platform }: Subject, newImage: ImageInspect): CreateRequest {
  return createRequest({ container: inspect, oldImage: image, newImage, reference: newImage.Id, platform });
}

async function serversOf(
  run: RehearsalRun,
  target: Container,
  all: readonly Container[],
  items: readonly BackupItem[],
): Promise<SubjectServer[]> {
  const servers: SubjectServer[] = [];
  for (const dumped of serversIn(items)) {
    const running = all.find(({ name }) => name === dumped.container) ?? null;
    const image = await imageForDrill(run, dumped, running);
    const production = running === null ? null : await inspectIfThere(run.engine, running.id);
    servers.push({
      ...{ dumped, image, production, isTarget: running?.id === target.id },
      preload: await preloadedBy(run, running, image),
      names: production === null ? [dumped.container] : hostNamesOf(production, running?.service ?? null),
    });
  }
  return servers;
}

async function fileMounts(
  { engine }: RehearsalRun,
  { Id }: ContainerInspect,
  mounts: readonly TrialMount[],
): Promise<Set<string>> {
  const files = new Set<string>();
  for (const { path } of mounts) {
    const stat = await engine.stat(Id, path);
    if (stat?.type === 'other') throw new NotTried(`It cannot be tried in isolation: ${path} is a socket or a device.`);
    if (stat?.type === 'file') files.add(path);
  }
  return files;
}

/** The set whose copy a rehearsal uses, and whether it was taken for it. */
interface ChosenSet {
  record: BackupRecord;
  live: boolean;
}

/** One missed backup does not require another one. */
const INTERVALS = 1.5;

/**
 * The newest verified backup of the container's set, if it is young enough and of all members; else a live one, for which
 * no container is stopped. Null: nothing of the set is backed up. Rejects with `NotTried` when the backup fails.
 */
async function chooseSet(
  run: RehearsalRun,
  container: Container,
  all: readonly Container[],
): Promise<ChosenSet | null> {
  const place = backupPlaceOf(container);
  const members = membersOf(place, all);
  if (members.length === 0) return null;
  const last = run.store.backups.lastSucceeded(place);
  if (last !== null && samePlace(last, place) && isYoung(run, last) && holdsMembers(last, members))
    return { record: last, live: false };
  run.onProgress('taking a live backup');
  const record = run.store.backups.insert({ ...place, reason: 'update', updateId: run.update.id });
  const onSucceeded = (good: BackupRecord): void => afterGoodBackup(run, good);
  try {
    const taken = await takeBackup({ ...run, onSucceeded }, { record, members, quiesced: false });
    return { record: taken, live: true };
  } catch (error) {
    rethrowEngineLost(error);
    throw new NotTried(`No backup of its set is young enough, and a live one failed: ${messageOf(error)}`);
  }
}

/** Counted from the start of the reading. Without a schedule every rehearsal takes a backup. */
function isYoung({ store, clock }: RehearsalRun, { startedAt }: BackupRecord): boolean {
  const schedule = store.timers.get('backup')?.schedule ?? null;
  if (schedule === null || startedAt === null) return false;
  const age = clock.now().getTime() - Date.parse(startedAt);
  return age >= 0 && age <= INTERVALS * intervalMs(schedule, clock.now());
}
