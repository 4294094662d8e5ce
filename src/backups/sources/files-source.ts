import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Container } from '../../domain/container';
import { messageOf, PilotError } from '../../domain/errors';
import type { Engine } from '../../ports/engine';
import type { Finding, ItemSource } from './item-source';
import { foldersInDoubt, namesInDoubt, skippedIn, type Doubt } from './skipped-folders';
import { TarEntries, type TarSummary } from './tar-entries';
import { ExcludeRestoreArtifacts } from './exclude-restore-artifacts';

/** One tar for each path, through the engine: no tar is needed in the image, and the container need not run. */
export function filesOf(engine: Engine, owner: Container, paths: readonly string[]): ItemSource[] {
  return paths.map((path) => filesAt(engine, owner, path));
}

function filesAt(engine: Engine, owner: Container, path: string): ItemSource {
  let written = new TarEntries();
  let doubts: Doubt[] = [];
  return {
    container: owner,
    kind: 'files',
    name: path,
    compression: 'gzip',
    title: `files ${path} of ${owner.name}`,
    advice: `Look at the label backup.paths of ${owner.name}: each path must exist in the container.`,
    open: async () => {
      doubts = await foldersInDoubt(engine, owner.id, path);
      const tar = await engine.archive(owner.id, path);
      const kept = new ExcludeRestoreArtifacts();
      tar.on('error', (error) => kept.destroy(error));
      kept.on('close', () => tar.destroy());
      return tar.pipe(kept);
    },
    tap: () => (written = new TarEntries(namesInDoubt(path, doubts))),
    verify: (content) => {
      refuseLink(written, owner, path);
      refuseSkipped(written, owner, path, doubts);
      return countAgain(content, written.summary.entries);
    },
  };
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

async function countAgain(content: AsyncIterable<Buffer>, written: number): Promise<Finding> {
  const found = await walkTar(content);
  if (found.whole && found.entries !== written) {
    return { whole: false, words: `${written} entries were written, ${found.entries} are there` };
  }
  return found;
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
  if (entries === 0) return { whole: false, words: 'it holds no entry', entries, root };
  return { whole: true, words: entries === 1 ? '1 entry' : `${entries} entries`, entries, root };
}
