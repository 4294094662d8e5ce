import { formatBytes } from '../../domain/format';
import { posix } from 'node:path';
import { messageOf, PilotError } from '../../domain/errors';
import type { Kept } from '../../domain/backups/restore';
import { artifactFolder } from '../../domain/backups/restore-artifact-names';
import type { Placed } from '../plan-restore';
import { hasWeakRoot } from '../../domain/weak-root';
import { readItem } from '../pinned-storage';
import { removeFolderCommand } from '../removal-commands';
import type { RestoreRun } from '../restore-run';
import { withoutHeld, type PathOf } from './held-paths';
import { CLEAR, MAKE_ROOM, SWAP, SWAP_BACK, TIDY } from './move-scripts';
import { runOneOff } from './one-off';
import { plainPath, placeOfPath, unitArgs } from './swap-places';

/** Each path, unpacked next to the current data with owners and modes; what an earlier try left is removed first. */
export async function stageFiles(run: RestoreRun): Promise<void> {
  for (const placed of await movable(run)) {
    const { item, container } = placed;
    run.onProgress(`unpacking ${item.name} of ${container.name} (${formatBytes(item.bytes)})`);
    await move(run, placed, MAKE_ROOM);
    await unpack(run, placed);
  }
}

async function unpack(run: RestoreRun, placed: Placed): Promise<void> {
  const { item, container } = placed;
  const folder = posix.dirname(stagedPath(run, placed));
  const content = await readItem(run.storage, item);
  try {
    await run.engine.extract(container.id, folder, content);
  } catch (error) {
    if (!/no space left|disk quota/i.test(messageOf(error))) throw error;
    const message = `The disk of ${item.name} of ${container.name} is full: a restore needs space for a second copy of the data. Make room on the disk of that folder, then restore again.`;
    throw new PilotError('restore_failed', message, { cause: error });
  }
}

export async function swapFiles(run: RestoreRun): Promise<void> {
  for (const placed of await movable(run)) {
    run.onProgress(`${placed.item.name} of ${placed.container.name} is swapped with the restored data`);
    await move(run, placed, SWAP);
  }
}

/** Last first: two containers may have the same files, and the first has put aside what was there before the restore. */
export async function swapFilesBack(run: RestoreRun): Promise<void> {
  for (const placed of (await movable(run)).toReversed()) await move(run, placed, SWAP_BACK);
}

export async function removeStaged(run: RestoreRun): Promise<void> {
  for (const placed of await movable(run)) await move(run, placed, CLEAR);
}

/** Leaves only the previous data and returns its location. */
export async function tidyFiles(run: RestoreRun): Promise<Kept[]> {
  const kept: Kept[] = [];
  for (const placed of await movable(run)) {
    const { item, container } = placed;
    for (const folder of await move(run, placed, TIDY)) {
      kept.push({
        what: `${item.name} of ${container.name}, in ${folder}`,
        remove: removeFolderCommand(container, folder, imageForRemoval(run, placed)),
      });
    }
  }
  return kept;
}

/** Null: the container itself can remove its files. By its reference, which outlives the image of today. */
function imageForRemoval({ journal, plan }: RestoreRun, { container, inspect }: Placed & PathOf): string | null {
  const image = journal.shells[container.id] ?? container.imageId;
  if (image === container.imageId && !hasWeakRoot(inspect.HostConfig)) return null;
  const owner = [...plan.files, ...plan.databases].find((placed) => placed.container.imageId === image);
  return owner?.container.reference ?? image;
}

/** All but those in the own layer of a container that were not touched, and those that come back with another one. */
async function movable(run: RestoreRun): Promise<(Placed & PathOf)[]> {
  const found: (Placed & PathOf)[] = [];
  for (const placed of run.plan.files) {
    const inspect = await run.engine.inspectContainer(placed.container.id);
    const path = placed.item.name;
    const place = placeOfPath(path, run.journal.kinds[placed.item.key] ?? 'folder', inspect.Mounts);
    if (place === 'volume') found.push({ ...placed, path, inspect });
  }
  return withoutHeld(found);
}

async function move(run: RestoreRun, placed: Placed, script: string): Promise<string[]> {
  const { item, number, container } = placed;
  const { journal } = run;
  const { Mounts } = await run.engine.inspectContainer(container.id);
  const args = [
    plainPath(item.name),
    stagedPath(run, placed),
    artifactFolder('before', journal.mark, number),
    ...unitArgs(item.name, Mounts),
  ];
  const image = journal.shells[container.id] ?? container.imageId;
  return runOneOff(run, { of: container, image, mark: journal.mark, script, args, path: item.name });
}

/** Where the tar's first entry comes to lie: the tar names everything by the last part of the path. */
function stagedPath({ journal }: RestoreRun, { item, number }: Placed): string {
  const path = plainPath(item.name);
  const folder = journal.kinds[item.key] === 'file' ? posix.dirname(path) : path;
  return posix.join(folder, artifactFolder('restore', journal.mark, number), posix.basename(path));
}
