import { createHash } from 'node:crypto';
import { extract } from 'tar-stream';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { fewAtATime } from '../../lib/concurrency';
import type { Engine } from '../../ports/engine';
import { layerFiles } from './layer-files';

/** Each is two or more calls of the engine: of a layer with more files, the others count as lost. */
const COMPARED = 1000;
const AT_ONCE = 4;

/**
 * Files of the old container's own layer that would be lost with it: those which its replacement, which runs, lacks or has
 * with other content. So a file that every start writes in the same way is not lost. Sorted.
 */
export async function lostFiles(engine: Engine, old: ContainerInspect, replacementId: string): Promise<string[]> {
  const { lost, edited } = await layerFiles(engine, old);
  const files = [...edited, ...lost];
  const compared = await fewAtATime(files.slice(0, COMPARED), AT_ONCE, async (path) =>
    (await isSame(engine, path, old.Id, replacementId)) ? null : path,
  );
  return [...compared.filter((path) => path !== null), ...files.slice(COMPARED)].sort();
}

async function isSame(engine: Engine, path: string, oldId: string, newId: string): Promise<boolean> {
  const [before, after] = [await engine.stat(oldId, path), await engine.stat(newId, path)];
  if (before === null || before.type === 'directory' || before.type === 'other') return true;
  if (after === null || before.type !== after.type || before.size !== after.size) return false;
  return (await contentOf(engine, oldId, path)) === (await contentOf(engine, newId, path));
}

/** A hash of the content of a file, or the target of a link. */
async function contentOf(engine: Engine, id: string, path: string): Promise<string> {
  const archive = await engine.archive(id, path);
  const entries = extract();
  archive.on('error', (error) => entries.destroy(error));
  try {
    for await (const entry of archive.pipe(entries)) {
      const hash = createHash('sha256');
      for await (const chunk of entry) hash.update(chunk as Buffer);
      return `${entry.header.type} ${entry.header.linkname ?? ''} ${hash.digest('hex')}`;
    }
    return '';
  } finally {
    archive.destroy();
  }
}
