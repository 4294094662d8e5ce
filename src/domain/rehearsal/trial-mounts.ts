import type { HostMount, Mount } from '../engine-inspect';
import { cleanPath } from '../recreate/own-mounts';

/** What becomes of one mount of the container in its rehearsal. */
export type TrialMount =
  /** The backup has all of it: an empty volume, filled by the restore. */
  | { kind: 'restored'; path: string }
  /** Not in the backup, and writable: an empty volume with a copy of what is there now. */
  | { kind: 'copied'; path: string }
  /** A folder or file of the host that the container cannot write either: mounted as it is. */
  | { kind: 'read_only'; path: string; source: string };

/** Pure. `restored`: the paths of the container that its backup holds. */
export function trialMounts(mounts: readonly Mount[], restored: readonly string[]): TrialMount[] {
  return mounts
    .filter(({ Type }) => Type !== 'tmpfs')
    .map((mount): TrialMount => {
      const path = cleanPath(mount.Destination);
      if (restored.some((held) => isWithin(path, cleanPath(held)))) return { kind: 'restored', path };
      // A volume of other containers may hold the socket of a server, so that no volume is shared.
      if (mount.Type === 'bind' && !mount.RW) return { kind: 'read_only', path, source: mount.Source };
      return { kind: 'copied', path };
    });
}

/** As the create request asks for them. `files`: the paths that are single files, which live in the container's own layer. */
export function mountRequests(mounts: readonly TrialMount[], files: ReadonlySet<string>): HostMount[] {
  return mounts.flatMap((mount): HostMount[] => {
    if (mount.kind === 'read_only') return [{ Type: 'bind', Source: mount.source, Target: mount.path, ReadOnly: true }];
    return files.has(mount.path) ? [] : [{ Type: 'volume', Target: mount.path }];
  });
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}
