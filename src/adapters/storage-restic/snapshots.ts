import { z } from 'zod';
import { StorageError } from '../../domain/errors';
import { restic, type Repository } from './run-restic';

/** On every snapshot of ours; others may use the same repository. */
export const TAG = 'diun-pilot';

export interface Snapshot {
  id: string;
  key: string;
  /** When it started, milliseconds. */
  at: number;
  /** Null: it is not whole, or a crash came before that was noted. */
  bytes: number | null;
}

const listed = z.array(
  z.object({
    id: z.string().regex(/^[0-9a-f]{8,64}$/),
    time: z.string(),
    paths: z.array(z.string()).length(1),
    tags: z.array(z.string()).nullish(),
  }),
);

/** Ours only, oldest first: others may keep theirs in the same repository. None where there is no repository yet. */
export async function snapshots(repo: Repository, key?: string): Promise<Snapshot[]> {
  const path = key === undefined ? [] : ['--path', `/${key}`];
  try {
    return snapshotsIn(await restic(repo, ['snapshots', '--json', '--tag', TAG, ...path], key));
  } catch (error) {
    if (error instanceof StorageError && error.code === 'object_not_found') return [];
    throw error;
  }
}

/** Reads `restic snapshots --json`; oldest first. */
function snapshotsIn(json: string): Snapshot[] {
  const read = listed.safeParse(parsed(json));
  if (!read.success) {
    throw new StorageError(
      'storage_unreachable',
      `restic lists its snapshots in an unknown form: ${read.error.message}`,
    );
  }
  return read.data
    .map(({ id, time, paths, tags }) => ({
      id,
      key: (paths[0] ?? '').slice(1),
      at: Date.parse(time),
      bytes: bytesIn(tags ?? []),
    }))
    .sort((a, b) => a.at - b.at);
}

export function finishedIn(all: readonly Snapshot[]): (Snapshot & { bytes: number })[] {
  return all.filter((each): each is Snapshot & { bytes: number } => each.bytes !== null);
}

export function unfinishedIn(all: readonly Snapshot[]): Snapshot[] {
  return all.filter(({ bytes }) => bytes === null);
}

function bytesIn(tags: readonly string[]): number | null {
  const found = tags.map((tag) => /^bytes=(\d+)$/.exec(tag)?.[1]).find((bytes) => bytes !== undefined);
  return found === undefined ? null : Number(found);
}

/** Without a snapshot some versions print `null`. */
function parsed(json: string): unknown {
  try {
    return (JSON.parse(json) as unknown) ?? [];
  } catch {
    return json;
  }
}
