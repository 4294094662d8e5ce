import type { LayerChange, PathStat } from '../../domain/recreate/layer';
import { EngineError } from '../../domain/errors';
import { engineStatusOf } from './engine-errors';
import type { Wire } from './wire';

const KINDS = ['modified', 'added', 'deleted'] as const;
/** Of Go's `os.FileMode`, in which the engine writes modes. */
const GO_DIRECTORY = 2 ** 31;
const GO_SYMLINK = 2 ** 27;
/** Device, named pipe, socket, character device, irregular. */
const GO_OTHER = [2 ** 26, 2 ** 25, 2 ** 24, 2 ** 21, 2 ** 19];
const PERMISSIONS = 0o777;

/** Comparing a large layer takes time. */
const CHANGES_MS = 5 * 60_000;

export async function changes(wire: Wire, id: string): Promise<LayerChange[]> {
  const path = `/containers/${encodeURIComponent(id)}/changes` as const;
  const found = await wire.call<{ Path: string; Kind: number }[] | null>({
    method: 'GET',
    path,
    timeoutMs: CHANGES_MS,
  });
  return (found ?? []).map(({ Path, Kind }) => ({ path: Path, kind: KINDS[Kind] ?? 'modified' }));
}

/** The engine answers 404 for a path that does not exist, and for a container that does not. */
export async function stat(wire: Wire, id: string, path: string): Promise<PathStat | null> {
  const at = `/containers/${encodeURIComponent(id)}/archive` as const;
  try {
    const answer = await wire.stream({ method: 'HEAD', path: at, query: { path } });
    answer.resume();
    return readStat(answer.headers[PATH_STAT], path);
  } catch (error) {
    if (engineStatusOf(error) !== 404) throw error;
    await wire.call({ method: 'GET', path: `/containers/${encodeURIComponent(id)}/json` });
    return null;
  }
}

/** Where the engine describes the path, in an answer to a question about an archive. */
export const PATH_STAT = 'x-docker-container-path-stat';

/** Where a symbolic link leads inside the container, by the engine's own rules; null: it is none. Throws as `readStat`. */
export function readLink(header: string | string[] | undefined, path: string): string | null {
  if (readStat(header, path).type !== 'symlink') return null;
  const { linkTarget } = JSON.parse(Buffer.from(String(header), 'base64').toString()) as { linkTarget?: unknown };
  return typeof linkTarget === 'string' ? linkTarget : '';
}

/** Of the path itself: where it is a link, of the link. */
function readStat(header: string | string[] | undefined, path: string): PathStat {
  const read = (): { size: number; mode: number; mtime: string } =>
    JSON.parse(Buffer.from(String(header ?? ''), 'base64').toString()) as { size: number; mode: number; mtime: string };
  try {
    const { size, mode, mtime } = read();
    return { type: typeOf(mode), size, mode: mode % (PERMISSIONS + 1), modifiedAt: mtime };
  } catch (error) {
    throw new EngineError('engine_refused', `The Docker Engine did not describe ${path}.`, { cause: error });
  }
}

function typeOf(mode: number): PathStat['type'] {
  if (hasBit(mode, GO_DIRECTORY)) return 'directory';
  if (hasBit(mode, GO_SYMLINK)) return 'symlink';
  return GO_OTHER.some((bit) => hasBit(mode, bit)) ? 'other' : 'file';
}

/** Go's modes use bit 31, which JavaScript's bit operators read as a sign. */
function hasBit(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}
