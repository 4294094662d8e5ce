import { COMPOSE } from '../compose/compose-project';
import { BOUNDS } from '../bounds';
import type { ContainerInspect, CreateRequest, ImageInspect } from '../engine-inspect';
import { cleanPath, isPathWithin } from './own-mounts';

/** One path of a container's own layer that differs from its image. */
export interface LayerChange {
  path: string;
  kind: 'modified' | 'added' | 'deleted';
}

/** What the engine reports about one path. `modifiedAt`: RFC 3339 with up to nine digits of a second. */
export interface PathStat {
  /** `other`: a socket, a pipe or a device, which no archive holds with its content. */
  type: 'file' | 'directory' | 'symlink' | 'other';
  size: number;
  /** Permission bits. */
  mode: number;
  modifiedAt: string;
}

/** Written by the engine, or rebuilt by every start: their loss is expected. */
const TEMPORARY_FOLDERS = [
  '/dev',
  '/proc',
  '/sys',
  '/run',
  '/tmp',
  '/var/cache',
  '/var/lib/apt/lists',
  '/var/lock',
  '/var/log',
  '/var/run',
  '/var/tmp',
];
const TEMPORARY_NAMES = new Set(['.cache', 'cache', 'tmp', 'temp', 'logs', '__pycache__', '.npm', '.pki']);
const TEMPORARY_FILES = /\.(?:pid|sock|lock|pyc|log|tmp)$|\/\.(?:bash_history|ash_history|dockerenv)$/;
const ENGINE_FILES = new Set(['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/etc/mtab']);
/** Secrets of Compose are files in a folder that is otherwise temporary. */
const SECRETS = '/run/secrets';

/**
 * The changed paths that may matter: no folder that is listed only because of what it contains, no mount point, nothing that
 * was deleted. Temporary paths are included.
 */
export function ownPaths(changes: readonly LayerChange[], { Mounts }: Pick<ContainerInspect, 'Mounts'>): string[] {
  const paths = changes.filter(({ kind }) => kind !== 'deleted').map(({ path }) => cleanPath(path));
  const mounts = Mounts.map(({ Destination }) => cleanPath(Destination));
  const parents = new Set([...paths, ...mounts].flatMap(parentsOf));
  return paths.filter((path) => !parents.has(path) && !mounts.some((mount) => isPathWithin(path, mount))).sort();
}

/** Whether the loss of a path with the container is expected: temporary files, caches, logs, what the engine writes. */
export function isTemporary(path: string): boolean {
  if (isPathWithin(path, SECRETS)) return false;
  if (ENGINE_FILES.has(path) || TEMPORARY_FILES.test(path)) return true;
  if (TEMPORARY_FOLDERS.some((folder) => isPathWithin(path, folder))) return true;
  return path.split('/').some((name) => TEMPORARY_NAMES.has(name));
}

/**
 * Whether a file was copied into the container before a start, as Compose does with `configs:` and `secrets:` that are given by
 * `content:` or `environment:`, or diun-pilot with these. Such a file comes from a tar whose times are rounded to whole seconds: a
 * process of the container writes times with a fraction. A package has whole seconds too, so that after a restart the time between
 * creation and start alone proves nothing. One that is too large to be copied is not Compose's.
 */
export function wasCopiedBeforeStart(path: string, stat: PathStat, container: ContainerInspect): boolean {
  if (stat.type !== 'file' || stat.size > BOUNDS.layerFile.bytes || /\.\d*[1-9]/.test(stat.modifiedAt)) return false;
  const modified = Date.parse(stat.modifiedAt);
  const created = Date.parse(container.Created);
  if (modified === Math.floor(created / 1000) * 1000) return true;
  if (!container.Config.Labels?.[COMPOSE.project]) return false;
  const started = Date.parse(container.State.StartedAt);
  if (modified < created - ROUNDED_BY_MS || modified > started + ROUNDED_BY_MS) return false;
  const isOfStart = modified <= created + FIRST_START_WITHIN_MS || modified >= started - ROUNDED_BY_MS;
  return isOfStart || stat.mode === COMPOSES_MODE || isPathWithin(path, SECRETS);
}

const ROUNDED_BY_MS = 1000;
/** Compose may wait for what the container depends on. */
const FIRST_START_WITHIN_MS = 5 * 60_000;
/** Of `configs:` and `secrets:`, unless given otherwise. Packages hardly have it. */
const COMPOSES_MODE = 0o444;

/**
 * Whether a file of the image was last changed by the start of the container, as the entrypoint of nginx edits its
 * `default.conf`: then the start of the new container changes its own one in the same way.
 */
export function wasEditedByStart(kind: LayerChange['kind'], stat: PathStat, container: ContainerInspect): boolean {
  if (kind !== 'modified') return false;
  const modified = Date.parse(stat.modifiedAt);
  return [container.Created, container.State.StartedAt].some((time) => {
    const after = modified - Date.parse(time);
    return after >= -ROUNDED_BY_MS && after <= STARTS_WITHIN_MS;
  });
}

const STARTS_WITHIN_MS = 10_000;

/** Paths of a backup that no volume or bind mount keeps, so that they are lost with the container. */
export function unmountedBackupPaths(
  paths: readonly string[],
  own: readonly string[],
  { Mounts }: Pick<ContainerInspect, 'Mounts'>,
): string[] {
  const kept = Mounts.filter(({ Type }) => Type !== 'tmpfs').map(({ Destination }) => cleanPath(Destination));
  return paths.filter((path) => {
    const clean = cleanPath(path);
    if (kept.some((mount) => isPathWithin(clean, mount))) return false;
    const hasMounts = kept.some((mount) => isPathWithin(mount, clean));
    return !hasMounts || own.some((file) => isPathWithin(file, clean) && !isTemporary(file));
  });
}

/** Whether a volume or bind mount keeps the path. */
export function isMounted(path: string, { Mounts }: Pick<ContainerInspect, 'Mounts'>): boolean {
  const clean = cleanPath(path);
  return Mounts.some(({ Type, Destination }) => Type !== 'tmpfs' && isPathWithin(clean, cleanPath(Destination)));
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

/** The copy needs as much free space, while the new container already runs. */
export const MOST_KEPT_BYTES = 1024 ** 3;

/** How files of a container's own layer are copied into another container of the same image. */
export interface LayerCopy {
  /** Folders that the image does not have and that hold more than what is copied: made first, parents before children. */
  folders: string[];
  /** Files, and folders that hold nothing but files to copy: each is copied whole, in one archive. */
  roots: string[];
}

/**
 * The fewest archives that hold exactly `files`: a folder that was added to the layer is copied whole if all in it is to be
 * copied and nothing is mounted in it. Pure.
 */
export function layerCopy(
  files: readonly string[],
  changes: readonly LayerChange[],
  container: Pick<ContainerInspect, 'Mounts'>,
): LayerCopy {
  const added = new Set(changes.filter(({ kind }) => kind === 'added').map(({ path }) => cleanPath(path)));
  const wanted = new Set(files);
  const unwanted = ownPaths(changes, container).filter((path) => !wanted.has(path));
  const mixed = new Set(
    [...unwanted, ...container.Mounts.map(({ Destination }) => cleanPath(Destination))].flatMap((path) => [
      path,
      ...parentsOf(path),
    ]),
  );
  const isWhole = (folder: string): boolean => added.has(folder) && !mixed.has(folder);
  const roots = new Set(files.map((file) => parentsOf(file).find(isWhole) ?? file));
  const folders = new Set([...roots].flatMap(parentsOf).filter((folder) => added.has(folder)));
  return { folders: [...folders].sort(), roots: [...roots].sort() };
}

/**
 * A container that only holds files: of the old image, never started, with no network, port, volume or restart. Every label
 * of the image is blank, so that Compose and other tools do not take it for one of theirs; Diun is to leave it alone.
 */
export function holderRequest(
  old: Pick<ContainerInspect, 'HostConfig'>,
  image: ImageInspect,
  platform: string | undefined,
): CreateRequest {
  const labels = Object.keys(image.Config?.Labels ?? {}).map((label) => [label, ''] as const);
  const { UsernsMode } = old.HostConfig;
  return {
    body: {
      Image: image.Id,
      Entrypoint: ['true'],
      Cmd: [],
      Labels: { ...Object.fromEntries(labels), 'diun.enable': 'false' },
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        AutoRemove: false,
        NetworkMode: 'none',
        RestartPolicy: { Name: 'no' },
        // Else the engine makes an anonymous volume for each.
        Tmpfs: Object.fromEntries(Object.keys(image.Config?.Volumes ?? {}).map((path) => [path, ''])),
        ...(UsernsMode === undefined || UsernsMode === '' ? {} : { UsernsMode }),
      },
      NetworkingConfig: { EndpointsConfig: {} },
    },
    connect: [],
    ...(platform === undefined ? {} : { platform }),
  };
}
