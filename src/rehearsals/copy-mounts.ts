import { posix } from 'node:path';
import { Transform } from 'node:stream';
import { copyLayerFiles } from '../containers/carry-over/copy-files';
import { NotTried } from '../domain/backups/backup';
import { formatBytes } from '../domain/format';
import { cleanPath } from '../domain/recreate/own-mounts';
import { readItem, type PinnedStorage } from '../restores/pinned-storage';
import { mayGoOn, type RehearsalRun } from './rehearsal-run';
import type { Subject } from './subject';

/** Of all that is not in the backup and must be copied from the running container. */
const MOST_BYTES = 512 * 1024 * 1024;

/**
 * Fills the container of a trial, which is created and not started: copies of what the backup does not hold, the files of
 * the backup, then what Compose wrote into the container's layer. Resolves with the bytes copied and restored as they were stored.
 */
export async function fillContainer(
  run: RehearsalRun,
  storage: PinnedStorage,
  subject: Subject,
  id: string,
): Promise<void> {
  const budget = { left: MOST_BYTES };
  for (const { kind, path } of subject.mounts) {
    if (kind !== 'copied') continue;
    mayGoOn(run, run.update.id);
    run.onProgress(`copying ${path}`);
    await copyPath(run, subject, id, path, budget);
  }
  for (const item of subject.restored) {
    mayGoOn(run, run.update.id);
    run.onProgress(`restoring ${item.name} (${formatBytes(item.bytes)})`);
    await run.engine.extract(id, posix.dirname(cleanPath(item.name)), await readItem(storage, item));
  }
  await copyLayerFiles(run.engine, subject.inspect.Id, id, subject.layer);
}

async function copyPath(
  { engine }: RehearsalRun,
  { inspect, container }: Subject,
  id: string,
  path: string,
  budget: { left: number },
): Promise<void> {
  const tooLarge = new NotTried(
    `${container.name} writes to ${path}, which is not in its backup and is larger than the ${formatBytes(MOST_BYTES)} that are copied for a rehearsal. Name it in backup.paths, or set update.rehearse=off.`,
  );
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      budget.left -= chunk.length;
      done(budget.left < 0 ? tooLarge : null, chunk);
    },
  });
  const tar = await engine.archive(inspect.Id, path);
  tar.on('error', (error) => counted.destroy(error));
  counted.on('close', () => tar.destroy());
  try {
    await engine.extract(id, posix.dirname(path), tar.pipe(counted));
  } catch (error) {
    throw budget.left < 0 ? tooLarge : error;
  }
}
