import type { ContainerInspect, HostConfig, Mount } from '../../domain/engine-inspect';

/** Where a path is stored: `volume`: on a mount that can be written; else why its content cannot change places. */
export type Place = 'volume' | 'own_layer' | 'read_only' | 'mounted_itself' | 'sockets';

/** Pure: the innermost mount that covers the path decides. */
export function placeOfPath(path: string, kind: 'folder' | 'file', mounts: readonly Mount[]): Place {
  const covering = coveringMount(path, mounts);
  if (covering === undefined) return 'own_layer';
  if (!covering.RW) return 'read_only';
  if (holdsSockets(covering)) return 'sockets';
  return kind === 'file' && plainPath(covering.Destination) === plainPath(path) ? 'mounted_itself' : 'volume';
}

/** The innermost; undefined: the path is in the container's own layer. */
export function coveringMount(path: string, mounts: readonly Mount[]): Mount | undefined {
  return mounts
    .filter(({ Destination, Type }) => Type !== 'tmpfs' && isBelow(path, plainPath(Destination)))
    .sort((a, b) => b.Destination.length - a.Destination.length)[0];
}

/**
 * The folders whose content changes places, entry by entry: the path itself, and each on the way to a mount below it,
 * which cannot be moved.
 */
export function unitsOf(path: string, mounts: readonly Mount[]): string[] {
  const root = plainPath(path);
  const units = new Set([root]);
  for (const mount of mounts) {
    const below = plainPath(mount.Destination);
    if (below === root || !isBelow(below, root) || !isCarried(mount, path)) continue;
    for (let unit = below; unit !== root; unit = unit.slice(0, unit.lastIndexOf('/'))) units.add(unit);
  }
  return [...units].sort();
}

/** The units as the scripts want them: those on read-only mounts are the operator's and stay as they are. */
export function unitArgs(path: string, mounts: readonly Mount[]): string[] {
  const units = unitsOf(path, mounts);
  const stays = (unit: string): boolean => placeOfPath(unit, 'folder', mounts) === 'read_only';
  return [...units.filter((unit) => !stays(unit)), '--', ...units.filter(stays)];
}

/** A socket of the host, or one of the folders in which it keeps sockets and devices. */
function holdsSockets({ Type, Source }: Mount): boolean {
  return (
    Type === 'bind' && (Source === '/' || /\.sock$|^(?:\/var)?\/run(?:\/|$)|^\/(?:dev|proc|sys)(?:\/|$)/.test(Source))
  );
}

/** Whether the container that moves the files of a path needs a mount: it covers the path, or is below it. */
export function isCarried(mount: Mount, path: string): boolean {
  const { Type, Destination } = mount;
  const near = isBelow(path, plainPath(Destination)) || isBelow(plainPath(Destination), plainPath(path));
  return (Type === 'volume' || Type === 'bind') && near && !holdsSockets(mount);
}

/** The mounts as requested: nothing of an image is copied into an empty volume. */
export function mountsFor(
  { Mounts, HostConfig }: ContainerInspect,
  path: string,
): Pick<HostConfig, 'Binds' | 'Mounts'> {
  const carried = Mounts.filter((mount) => isCarried(mount, path));
  const asked = (HostConfig.Mounts ?? []).filter(({ VolumeOptions }) => hasSubpath(VolumeOptions));
  const isAsked = ({ Destination }: Mount): boolean =>
    asked.some(({ Target }) => plainPath(Target) === plainPath(Destination));
  return {
    Binds: carried.filter((mount) => !isAsked(mount)).map(bindOf),
    Mounts: asked
      .filter(({ Target }) => carried.some(({ Destination }) => plainPath(Destination) === plainPath(Target)))
      .map((mount) => ({ ...mount, VolumeOptions: { ...(mount['VolumeOptions'] as object), NoCopy: true } })),
  };
}

export function hasSubpath(options: unknown): boolean {
  return typeof options === 'object' && options !== null && Boolean((options as { Subpath?: string }).Subpath);
}

function bindOf({ Type, Name, Source, Destination, RW }: Mount): string {
  const options = [...(RW ? [] : ['ro']), ...(Type === 'volume' ? ['nocopy'] : [])];
  const what = Type === 'volume' ? (Name ?? Source) : Source;
  return [what, Destination, ...(options.length === 0 ? [] : [options.join(',')])].join(':');
}

export function plainPath(path: string): string {
  const plain = `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
  return plain;
}

/** Also the folder itself. */
export function isBelow(path: string, folder: string): boolean {
  return folder === '/' || plainPath(path) === folder || plainPath(path).startsWith(`${folder}/`);
}
