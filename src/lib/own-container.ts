import { readFileSync } from 'node:fs';

const FILES_THAT_DOCKER_MOUNTS =
  /\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf) \/etc\/(?:hostname|hosts|resolv\.conf) /;

/**
 * Id of the container that this process runs in, or null on a host: read from the mounts that Docker gives every
 * container (`/etc/hostname` comes from a folder named by the id), which no setting of the host name changes.
 */
export function ownContainerId(mountInfo: string = readMountInfo()): string | null {
  return FILES_THAT_DOCKER_MOUNTS.exec(mountInfo)?.[1] ?? null;
}

function readMountInfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return ''; // no such file outside Linux: then this is not a container either
  }
}
