import type { ContainerInspect, Mount } from '../../domain/engine-inspect';
import { plainPath, coveringMount, hasSubpath, isBelow } from './swap-places';

/** A path that is restored, and the container that has it. */
export interface PathOf {
  path: string;
  inspect: Pick<ContainerInspect, 'Id' | 'Mounts' | 'HostConfig'>;
}

/**
 * Those whose content is not a part of another one's: the other ones bring all of it back. Of two with the same content the
 * first stays. Each must be on a writable volume. Pure.
 */
export function withoutHeld<P extends PathOf>(paths: readonly P[]): P[] {
  return paths.filter(
    (one, i) => !paths.some((other, j) => j !== i && holds(other, one) && (j < i || !holds(one, other))),
  );
}

/** Whether a restore of the outer one is a restore of the inner one. Where that is not known for sure: false. */
function holds(outer: PathOf, inner: PathOf): boolean {
  const [path, folder] = [plainPath(inner.path), plainPath(outer.path)];
  if (outer.inspect.Id === inner.inspect.Id) return path !== folder && isBelow(path, folder);
  const [from, to] = [storedAt(outer), storedAt(inner)];
  if (from === null || to === null || from.store !== to.store || !isBelow(to.at, from.at)) return false;
  const seen = plainPath(`${folder}/${from.at === '/' ? to.at : to.at.slice(from.at.length)}`);
  const { Mounts } = outer.inspect;
  const isSame = coveringMount(seen, Mounts) === coveringMount(folder, Mounts);
  return isSame && !hasMountBelow(seen, Mounts) && !hasMountBelow(path, inner.inspect.Mounts);
}

function hasMountBelow(path: string, mounts: readonly Mount[]): boolean {
  return mounts.some(({ Destination }) => plainPath(Destination) !== path && isBelow(Destination, path));
}

/** The volume, or the host's folders, and the path in it. Null: not known, as for a part of a volume that is mounted. */
function storedAt({ path, inspect }: PathOf): { store: string; at: string } | null {
  const mount = coveringMount(path, inspect.Mounts);
  if (mount === undefined || isPartOfVolume(mount, inspect)) return null;
  const inside = plainPath(path).slice(plainPath(mount.Destination).replace(/\/$/, '').length);
  if (mount.Type === 'bind') return { store: 'host', at: plainPath(`${mount.Source}/${inside}`) };
  return mount.Name === undefined ? null : { store: `volume ${mount.Name}`, at: plainPath(inside) };
}

function isPartOfVolume({ Destination }: Mount, { HostConfig }: PathOf['inspect']): boolean {
  const asked = HostConfig.Mounts?.find(({ Target }) => plainPath(Target) === plainPath(Destination));
  return hasSubpath(asked?.['VolumeOptions']);
}
