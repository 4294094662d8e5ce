import { posix } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isRestoreArtifact } from '../../domain/backups/restore-artifact-names';
import type { Container } from '../../domain/container';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import { hasWeakRoot } from '../../domain/weak-root';
import type { Engine } from '../../ports/engine';
import { ExcludeRestoreArtifacts } from './exclude-restore-artifacts';
import type { Finding, ItemSource } from './item-source';
import { TarEntries, type TarSummary } from './tar-entries';

/** Enough for hundreds of thousands of folders on a slow disk. */
const LISTED_WITHIN_MS = 10 * 60_000;

/** One tar for each path, through the engine: no tar is needed in the image, and the container need not run. */
export function filesOf(
  engine: Engine,
  owner: Container,
  paths: readonly string[],
  listedWithinMs = LISTED_WITHIN_MS,
): ItemSource[] {
  return paths.map((path) => filesAt(engine, owner, path, listedWithinMs));
}

function filesAt(engine: Engine, owner: Container, path: string, listedWithinMs: number): ItemSource {
  let doubts: Doubt[] = [];
  return {
    container: owner,
    kind: 'files',
    name: path,
    compression: 'gzip',
    title: `files ${path} of ${owner.name}`,
    advice: `Look at the label backup.paths of ${owner.name}: each path must exist in the container.`,
    explain: (words) => (NOTHING_READ.test(words) ? storageIsSilent(owner, path) : null),
    open: async () => {
      doubts = await foldersInDoubt(engine, owner.id, path, listedWithinMs);
      const tar = await engine.archive(owner.id, path);
      const kept = new ExcludeRestoreArtifacts();
      tar.on('error', (error) => kept.destroy(error));
      kept.on('close', () => tar.destroy());
      return tar.pipe(kept);
    },
    along: () => {
      const through = new TarEntries(namesInDoubt(path, doubts));
      return { through, finding: () => Promise.resolve().then(() => findingOf(through, owner, path, doubts)) };
    },
  };
}

/** Of `storeItem`, and of the engine's adapter when not even the first byte came. */
const NOTHING_READ = /nothing could be read for|did not complete/;

function storageIsSilent(owner: Container, path: string): string {
  return `The storage behind ${path} does not answer. If it is a network file system, check its server; then ls in the folder on the host must end. A disk that fails shows in dmesg. The next backup of ${owner.name} tries again.`;
}

function findingOf(written: TarEntries, owner: Container, path: string, doubts: readonly Doubt[]): Finding {
  refuseLink(written, owner, path);
  refuseSkipped(written, owner, path, doubts);
  return counted(written.summary.entries);
}

/** Of a symbolic link the engine archives the link alone: that would be a backup of nothing. */
function refuseLink(written: TarEntries, owner: Container, path: string): void {
  if (written.summary.root !== 'symlink') return;
  throw new PilotError(
    'backup_failed',
    `${path} of ${owner.name} is a symbolic link, so its files are not in the backup. Name the folder it leads to in the label backup.paths.`,
  );
}

/** The engine says nothing of what it leaves out: that would be a backup without it. */
function refuseSkipped({ summary }: TarEntries, owner: Container, path: string, doubts: readonly Doubt[]): void {
  const skipped = skippedIn(summary, path, doubts);
  if (skipped === null) return;
  throw new PilotError(
    'backup_failed',
    `Files ${path} of ${owner.name} could not be backed up: Docker cannot read ${skipped}, and leaves it out. Mount it so that root can read it (FUSE: allow_other; NFS: no_root_squash), or name the other folders in the label backup.paths of ${owner.name}.`,
  );
}

function counted(entries: number): Finding {
  if (entries === 0) return { whole: false, words: 'it holds no entry' };
  return { whole: true, words: entries === 1 ? '1 entry' : `${entries} entries` };
}

/** Reads a tar to its end. */
export async function walkTar(content: AsyncIterable<Buffer>): Promise<Finding & Pick<TarSummary, 'entries' | 'root'>> {
  const read = new TarEntries();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    await pipeline(content, read, nowhere);
  } catch (error) {
    return { whole: false, words: messageOf(error), ...read.summary };
  }
  const { entries, root } = read.summary;
  return { ...counted(entries), entries, root };
}

/** A folder below a backed-up path of which the engine's archive may have nothing. */
interface Doubt {
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
export const LIST = `read -r _ outer _ < /proc/self/uid_map
[ "$outer" = 0 ] || exit 3
exec find "$1" ! -name '*'`;

/**
 * The engine leaves out of its archive, with a line in its log alone, a folder that it cannot list (measured, Engine 26.1: a
 * FUSE mount without `allow_other`, an NFS export with `root_squash`, a bad disk). What may be missing: each mount below the path, and
 * each folder that root of the running container cannot list. Without a shell and `find` in the image only the mounts are known.
 */
async function foldersInDoubt(engine: Engine, containerId: string, path: string, withinMs: number): Promise<Doubt[]> {
  const inspect = await engine.inspectContainer(containerId);
  const mounts = inspect.Mounts.filter(({ Type, Destination }) => Type !== 'tmpfs' && isBelow(Destination, path));
  const doubts = mounts.map(({ Destination }) => ({ folder: Destination, why: 'a mount' }));
  return inspect.State.Running ? [...doubts, ...(await unreadable(engine, inspect, path, withinMs))] : doubts;
}

async function unreadable(
  engine: Engine,
  { Id, HostConfig }: ContainerInspect,
  path: string,
  withinMs: number,
): Promise<Doubt[]> {
  try {
    const command = ['sh', '-c', LIST, 'sh', path];
    // A folder that never answers is reported by the reading of the archive, which waits for it as well.
    const signal = AbortSignal.timeout(withinMs);
    const { exitCode, stderr } = await engine.exec(Id, command, { user: '0', env: ['LC_ALL=C'], signal });
    if (exitCode !== 1) return [];
    // Without its capabilities root reads less than the engine does.
    const weak = hasWeakRoot(HostConfig);
    return readErrors(stderr).filter(({ why }) => !(weak && /permi/i.test(why)));
  } catch (error) {
    rethrowEngineLost(error);
    return [];
  }
}

/** Pure. What GNU and busybox `find` say of folders; what vanished meanwhile is left out. */
export function readErrors(stderr: string): Doubt[] {
  const found = stderr.split('\n').flatMap((line): Doubt[] => {
    const reason = line.lastIndexOf(': ');
    const why = line.slice(reason + 2).trimEnd();
    const [, folder] = /^find: '?(\/.*)$/.exec(line.slice(0, reason).replace(/'$/, '')) ?? [];
    return folder === undefined || !/^[A-Z][^:]*$/.test(why) ? [] : [{ folder: unescaped(folder), why }];
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
