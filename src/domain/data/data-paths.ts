import type { Mount } from '../engine-inspect';
import { withoutTrailingSlashes } from '../text/trailing-slashes';

/** Belongs to the host, not to the application. */
const OF_THE_HOST =
  /^\/(?:proc|sys|dev|run|var\/run)(?:\/|$)|\.sock$|^\/etc\/(?:localtime|timezone|hosts|resolv\.conf)$/;

/** Without characters that hide, and the two that no YAML file may have. */
const NAMEABLE = /^\/[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFE\uFFFF]+$/u;

/**
 * Where a container keeps data that outlives it: the writable volumes and folders that are mounted, sorted, without those
 * inside another one. Left out: sockets, folders of the host's kernel, and names that no label can hold.
 */
export function dataPathsOf(mounts: readonly Pick<Mount, 'Type' | 'Destination' | 'RW'>[]): string[] {
  const paths = mounts
    .filter(({ Type, RW }) => RW && Type !== 'tmpfs' && Type !== 'npipe')
    .map(({ Destination }) => withoutTrailingSlashes(Destination))
    .filter((path) => NAMEABLE.test(path) && !OF_THE_HOST.test(path))
    .sort();
  return paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
}
