import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Container } from '../../domain/container';
import { messageOf, PilotError } from '../../domain/errors';
import type { Engine } from '../../ports/engine';
import type { Finding, ItemSource } from './item-source';
import { TarEntries, type TarSummary } from './tar-entries';
import { WithoutAside } from './without-aside';

/** One tar for each path, through the engine: no tar is needed in the image, and the container need not run. */
export function filesOf(engine: Engine, owner: Container, paths: readonly string[]): ItemSource[] {
  return paths.map((path) => filesAt(engine, owner, path));
}

function filesAt(engine: Engine, owner: Container, path: string): ItemSource {
  let written = new TarEntries();
  return {
    container: owner,
    kind: 'files',
    name: path,
    compression: 'gzip',
    title: `files ${path} of ${owner.name}`,
    advice: `Look at the label backup.paths of ${owner.name}: each path must exist in the container.`,
    open: async () => {
      const tar = await engine.archive(owner.id, path);
      const kept = new WithoutAside();
      tar.on('error', (error) => kept.destroy(error));
      kept.on('close', () => tar.destroy());
      return tar.pipe(kept);
    },
    tap: () => (written = new TarEntries()),
    verify: (content) => {
      refuseLink(written, owner, path);
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

async function countAgain(content: AsyncIterable<Buffer>, written: number): Promise<Finding> {
  const found = await walkTar(content);
  if (found.whole && found.entries !== written) {
    return { whole: false, words: `${written} entries were written, ${found.entries} are there` };
  }
  return found;
}

/** Reads a tar to its end. */
export async function walkTar(
  content: AsyncIterable<Buffer>,
): Promise<Finding & { entries: number; root: TarSummary['root'] }> {
  const read = new TarEntries();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    await pipeline(content, read, nowhere);
  } catch (error) {
    return { whole: false, words: messageOf(error), ...read.summary };
  }
  const { entries } = read.summary;
  if (entries === 0) return { whole: false, words: 'it holds no entry', ...read.summary };
  return { whole: true, words: entries === 1 ? '1 entry' : `${entries} entries`, ...read.summary };
}
