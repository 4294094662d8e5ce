import type { Mount } from '../../domain/engine-inspect';

/** Where a path lies: `volume`: on a mount that can be written; else why its content cannot change places. */
export type Place = 'volume' | 'own_layer' | 'read_only' | 'mounted_itself';

/** Pure: the innermost mount that covers the path decides. */
export function placeOfPath(path: string, kind: 'folder' | 'file', mounts: readonly Mount[]): Place {
  const covering = mounts
    .filter(({ Destination, Type }) => Type !== 'tmpfs' && isBelow(path, clean(Destination)))
    .sort((a, b) => b.Destination.length - a.Destination.length)[0];
  if (covering === undefined) return 'own_layer';
  if (!covering.RW) return 'read_only';
  return kind === 'file' && clean(covering.Destination) === clean(path) ? 'mounted_itself' : 'volume';
}

/**
 * The folders whose content changes places, entry by entry: the path itself, and each on the way to a mount below it,
 * which cannot be moved.
 */
export function unitsOf(path: string, mounts: readonly Mount[]): string[] {
  const root = clean(path);
  const units = new Set([root]);
  for (const { Destination } of mounts) {
    const below = clean(Destination);
    if (below === root || !isBelow(below, root)) continue;
    for (let unit = below; unit !== root; unit = unit.slice(0, unit.lastIndexOf('/'))) units.add(unit);
  }
  return [...units].sort();
}

export function clean(path: string): string {
  const plain = `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
  return plain;
}

function isBelow(path: string, folder: string): boolean {
  return folder === '/' || clean(path) === folder || clean(path).startsWith(`${folder}/`);
}
