import { type BackupItem, type BackupManifest, backupPlaceOf, titleOfItem } from '../domain/backups/backup';
import { composeRunsOf, writersOf } from '../backups/writers';
import { inStartOrder } from '../domain/compose/depends-on';
import type { Container } from '../domain/container';
import { formatBytes, formatTime, plural } from '../domain/format';

export interface ToRestore {
  folder: string;
  url: string;
  manifest: BackupManifest;
  /** Why the set is not authenticated; null: it is. */
  distrust: string | null;
  /** Compose project whose containers it goes to; null: that of the set. */
  target: string | null;
  containers: readonly Container[];
  /** The rollback of a service, which has scaled to 0 what writes; left out: the operator requested it. */
  byRollback?: boolean;
}

/** One item of the set and the container that it goes to. `number` is its place in the set, from 1. */
export interface Placed {
  item: BackupItem;
  number: number;
  container: Container;
}

/** What a restore will do, decided before anything is done: printed by `--dry-run`, the confirmation, page and mail. */
export interface RestorePlan {
  folder: string;
  url: string;
  manifest: BackupManifest;
  /** Why the set is not authenticated; null: it is. */
  distrust: string | null;
  roles: Placed[];
  databases: Placed[];
  files: Placed[];
  /** Who is stopped meanwhile, in the order of the start; also those that do not run now. */
  writers: Container[];
  /** What happens, in order. */
  course: string[];
  /** Why it cannot be done, each with what to do; empty: it can. */
  problems: string[];
  /** Those of the problems that are containers which do not exist. */
  missing: string[];
}

/** Pure: reads neither engine nor storage. `checkSet` checks whether the set is complete. */
export function planRestore(wanted: ToRestore): RestorePlan {
  const { folder, url, manifest, distrust, containers } = wanted;
  const numbered = manifest.items.map((item, index) => ({
    item,
    number: index + 1,
    container: containerFor(item, manifest, wanted.target, containers),
  }));
  const placed = numbered.filter((each): each is Placed => each.container !== null && !each.container.self);
  const of = (kind: BackupItem['kind']): Placed[] => placed.filter(({ item }) => item.kind === kind);
  const plan = { folder, url, manifest, distrust, roles: of('globals'), databases: of('database'), files: of('files') };
  const writers = writersFor(placed, containers);
  const own = numbered.filter(({ container }) => container?.self === true);
  const missing = numbered.filter(({ container }) => container === null).map(noContainer(wanted));
  return {
    ...plan,
    writers,
    course: [
      ...courseOf(plan, writers),
      ...own.map(({ item }) => `Left out: ${item.name} of ${item.container}, which is diun-pilot itself and runs.`),
    ],
    problems: [
      ...missing,
      ...servicesIn(numbered, wanted),
      ...notReady(plan),
      ...commandsThatWrite(placed, containers),
    ],
    missing,
  };
}

/** Those of the sets that the data goes to, and every container that gets files, whatever its labels say. */
function writersFor(placed: readonly Placed[], containers: readonly Container[]): Container[] {
  const all = new Map<string, Container>();
  for (const { item, container } of placed) {
    for (const writer of writersOf(backupPlaceOf(container), containers)) all.set(writer.id, writer);
    if (item.kind === 'files') all.set(container.id, container);
  }
  for (const { item, container } of placed) if (item.kind !== 'files') all.delete(container.id);
  return inStartOrder([...all.values()]);
}

type Moved = Pick<RestorePlan, 'roles' | 'databases' | 'files'>;

function courseOf(plan: Moved & Pick<RestorePlan, 'manifest'>, writers: Container[]): string[] {
  const { createdAt, items, quiesced } = plan.manifest;
  const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
  const names = writers.map(({ name }) => name).join(', ');
  return [
    `The set of ${formatTime(createdAt)} (${plural(items.length, 'item')}, ${formatBytes(bytes)}) is read completely first; a damaged one is refused before anything is stopped.`,
    ...(names === '' ? [] : [`Stopped during the restore: ${names}. They are offline for that time.`]),
    ...whatMoves(plan),
    `Data written since ${formatTime(createdAt)} is then only in the retained copy. The commands that remove it are shown at the end.`,
    ...(names === '' ? [] : [`Started again, each with a health check: ${names}.`]),
    'The restore needs free space for a second copy of the data: in the volumes, and on the database server.',
    quiesced
      ? 'All writers were stopped when the backup was taken, so the database and the files match.'
      : 'The application was running when the backup was taken: a file may be newer than the rows that refer to it.',
  ];
}

function whatMoves({ roles, databases, files }: Moved): string[] {
  return [
    ...roles.map(({ container: { name } }) => `${name}: missing roles are created; existing roles stay unchanged.`),
    ...databases.map(
      ({ item, container: { name } }) =>
        `${name}: database ${item.name} is restored next to the current one, then takes its name; the previous one is kept under another name.`,
    ),
    ...files.map(
      ({ item, container: { name } }) =>
        `${name}: ${item.name} is unpacked next to the current data, then takes its place; the previous data is kept in a folder inside it.`,
    ),
  ];
}

function noContainer({ manifest, target }: ToRestore): (placed: { item: BackupItem }) => string {
  const project = target ?? manifest.project;
  return ({ item }) =>
    `There is no container for ${titleOfItem(item)}${project === null ? '' : ` in project ${project}`}. Create it (docker compose up -d), or name another project: --project NAME.`;
}

/** A restore that the operator requests stops and starts containers; services only the rollback of their update scales for it. */
function servicesIn(numbered: readonly { container: Container | null }[], { folder, byRollback }: ToRestore): string[] {
  if (byRollback === true) return [];
  const found = numbered.flatMap(({ container }) => (container?.swarm === undefined ? [] : container.name));
  return [...new Set(found)].map(
    (name) =>
      `${name} is a Swarm service, whose data only the rollback of its own update restores. Restore it manually from ${folder} (docs/swarm.md has the commands).`,
  );
}

function notReady({ roles, databases, files }: Moved): string[] {
  const servers = new Map([...roles, ...databases].map(({ container }) => [container.id, container]));
  const stopped = [...servers.values()].filter(({ running }) => !running);
  const removed = files.filter(({ container }) => container.running && container.autoRemove);
  return [
    ...stopped.map(
      ({ name }) => `${name} does not run, and its databases cannot be restored without it: docker start ${name}`,
    ),
    ...removed.map(({ container }) => `${container.name} was started with --rm, so that stopping it would delete it.`),
    ...files
      .filter(({ item }) => item.name === '/')
      .map(({ container }) => `/ of ${container.name} cannot be swapped with another.`),
  ];
}

/** They would write while the data changes places, and are not stopped for it. */
function commandsThatWrite(placed: readonly Placed[], containers: readonly Container[]): string[] {
  const found = placed.flatMap(({ container }) => composeRunsOf(backupPlaceOf(container), containers));
  const names = new Set(found.filter(({ running }) => running).map(({ name }) => name));
  return [...names].map(
    (name) =>
      `${name} runs a command (docker compose run) that may write to the data: let it end, or docker stop ${name}`,
  );
}

/**
 * The container that an item's data goes back to: of the target project by its Compose service, else by its name. On
 * another host names and projects may differ, services do not. Null: there is none.
 */
export function containerFor(
  item: Pick<BackupItem, 'container' | 'service'>,
  manifest: Pick<BackupManifest, 'project'>,
  target: string | null,
  all: readonly Container[],
): Container | null {
  const project = target ?? manifest.project;
  if (project === null) return all.find(({ name }) => name === item.container) ?? null;
  const containers = all.filter(({ composeRun }) => !composeRun);
  const service = item.service ?? serviceIn(item.container, manifest.project);
  const found = containers.filter(
    (container) => container.project === project && service !== null && container.service === service,
  );
  const named = containers.filter(({ name, project: own }) => name === item.container && own === project);
  const alone = containers.filter(({ name, project: own }) => own === null && name === project);
  return found.find(({ name }) => name === item.container) ?? found[0] ?? named[0] ?? alone[0] ?? null;
}

/** Compose names a container `PROJECT-SERVICE-1` where the operator does not. */
function serviceIn(container: string, project: string | null): string | null {
  const prefix = `${project}-`;
  if (project === null || !container.startsWith(prefix)) return null;
  return container.slice(prefix.length).replace(/-\d+$/, '');
}
