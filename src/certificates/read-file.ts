import { BOUNDS } from '../domain/bounds';
import { PilotError } from '../domain/errors';
import type { Engine } from '../ports/engine';
import { entriesOf, readFile as readFileWithin, type Limits } from '../probes/read-file';

/** Larger than any certificate. */
const LIMITS: Limits = {
  mostBytes: BOUNDS.certificateFile.bytes,
  refuse: (why) => new PilotError('certificate_unreadable', why),
};

/**
 * A file of a container, running or not; symbolic links are followed inside the container, as certbot's `live/` leads to
 * its `archive/`. Null: it is not there. Rejects with `certificate_unreadable` unless it is a file of a certificate's size.
 */
export function readFile(engine: Engine, id: string, path: string): Promise<Buffer | null> {
  return readFileWithin(engine, id, path, LIMITS);
}

/** Names of the folders directly inside a folder of a container; none when it is not there. */
export async function foldersIn(engine: Engine, id: string, folder: string): Promise<string[]> {
  const entries = (await entriesOf(engine, id, folder, LIMITS)) ?? [];
  const names = entries.flatMap(({ header: { name } }) => /^[^/]+\/([^/]+)\/./.exec(name)?.[1] ?? []);
  return [...new Set(names)].sort();
}
