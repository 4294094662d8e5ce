import { posix } from 'node:path';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { codeOf } from '../../domain/errors';
import { isRestoreArtifact } from '../../domain/backups/restore-artifact-names';
import type { Engine } from '../../ports/engine';
import type { TarSummary } from './tar-entries';

/** A folder below a backed-up path of which the engine's archive may have nothing. */
export interface Doubt {
  /** In the container. */
  folder: string;
  why: string;
}

/** More are not listed. */
const MOST_DOUBTS = 100;
const NAMED_DOUBTS = 5;

/**
 * Reads every folder and prints only what cannot be read. Exit code 3: root of the container is not root of the host, so
 * it says nothing about what the engine can read.
 */
const LIST = `read -r _ outer _ < /proc/self/uid_map
[ "$outer" = 0 ] || exit 3
exec find "$1" ! -name '*'`;

/**
 * The engine leaves out of its archive, with a line in its log alone, a folder that it cannot list (m, 26.1: a FUSE mount
 * without `allow_other`, an NFS export with `root_squash`, a bad disk). What may be missing: each mount below the path, and
 * each folder that root of the running container cannot list. Without a shell and `find` in the image only the mounts are known.
 */
export async function foldersInDoubt(engine: Engine, containerId: string, path: string): Promise<Doubt[]> {
  const inspect = await engine.inspectContainer(containerId);
  const mounts = inspect.Mounts.filter(({ Type, Destination }) => Type !== 'tmpfs' && isBelow(Destination, path));
  const doubts = mounts.map(({ Destination }) => ({ folder: Destination, why: 'a mount' }));
  return inspect.State.Running ? [...doubts, ...(await unreadable(engine, inspect, path))] : doubts;
}

async function unreadable(engine: Engine, { Id, HostConfig }: ContainerInspect, path: string): Promise<Doubt[]> {
  try {
    const command = ['sh', '-c', LIST, 'sh', path];
    const { exitCode, stderr } = await engine.exec(Id, command, { user: '0', env: ['LC_ALL=C'] });
    if (exitCode !== 1) return [];
    // Without its capabilities root reads less than the engine does.
    const weak = ((HostConfig['CapDrop'] ?? []) as string[]).some((name) => /^(?:CAP_)?(?:ALL|DAC_\w+)$/i.test(name));
    return readErrors(stderr).filter(({ why }) => !(weak && /permi/i.test(why)));
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    return [];
  }
}

/** Pure. What GNU and busybox `find` say of folders; what vanished meanwhile is left out. */
export function readErrors(stderr: string): Doubt[] {
  const found = [...stderr.matchAll(/^find: '?(\/.*?)'?: ([A-Z][^:\n]*?)\s*$/gm)].map((line): Doubt => {
    const [, folder = '', why = ''] = line;
    return { folder: unescaped(folder), why };
  });
  return found.filter(({ folder, why }) => !/No such file/.test(why) && !isOfAside(folder)).slice(0, MOST_DOUBTS);
}

/** Pure. Those of which the archive has nothing, as text; null: all that was in doubt is there. */
export function skippedIn(
  { folders }: Pick<TarSummary, 'folders'>,
  path: string,
  doubts: readonly Doubt[],
): string | null {
  const skipped = doubts.filter(({ folder, why }) => {
    const state = folders.get(nameInTar(path, folder));
    if (why !== 'a mount') return state !== 'filled';
    // Its parent may be a link to elsewhere.
    return state === undefined && folders.has(nameInTar(path, posix.dirname(folder)));
  });
  if (skipped.length === 0) return null;
  const named = skipped.slice(0, NAMED_DOUBTS).map(({ folder, why }) => `${folder} (${why})`);
  const more = skipped.length > NAMED_DOUBTS ? [`${skipped.length - NAMED_DOUBTS} more`] : [];
  return [...named, ...more].join(', ');
}

/** The names in an archive that decide about the doubts: their own and those of their parents. */
export function namesInDoubt(path: string, doubts: readonly Doubt[]): string[] {
  return doubts.flatMap(({ folder }) => [folder, posix.dirname(folder)].map((one) => nameInTar(path, one)));
}

/** The archive names everything by the last part of the path. */
function nameInTar(path: string, folder: string): string {
  return posix.join(posix.basename(posix.resolve(path)), posix.relative(path, folder));
}

function isBelow(folder: string, path: string): boolean {
  const below = posix.relative(path, folder);
  return below !== '' && !below.startsWith('..');
}

function isOfAside(folder: string): boolean {
  return folder.split('/').some(isRestoreArtifact);
}

/** GNU find writes bytes that are not ASCII in octal. */
function unescaped(name: string): string {
  const bytes = name.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
  return bytes === name ? name : Buffer.from(bytes, 'latin1').toString('utf8');
}
