import type { BackupItem, BackupRecord } from '../domain/backups/backup';

export const MANIFEST = 'manifest.json';

/** The folder of one set: `shop/20261123T020000Z-01JD…`. The record's id makes it the only one of that name. */
export function setFolder(place: string, at: Date, recordId: string): string {
  const compact = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:]/g, '');
  return `${segment(place)}/${compact}-${segment(recordId)}`;
}

/**
 * The key of one item: `…/03-gitea-files-data.tar.gz`. Names of databases and paths are anything at all, so every other character than
 * a plain letter is replaced; the number keeps two such names apart, and the manifest has them as they are.
 */
export function itemKey(
  folder: string,
  number: number,
  item: Pick<BackupItem, 'container' | 'kind' | 'name' | 'compression'>,
): string {
  const extension = { database: 'dump', globals: 'sql', files: 'tar' }[item.kind];
  const words = [String(number).padStart(2, '0'), item.container, item.kind, item.kind === 'globals' ? '' : item.name];
  const name = segment(words.filter((word) => word !== '').join('-'));
  return `${folder}/${name}.${extension}${item.compression === 'gzip' ? '.gz' : ''}`;
}

/** The folder that the objects of a set lie in; null for a record that names none. */
export function folderOf({ items }: Pick<BackupRecord, 'items'>): string | null {
  const [first] = items;
  return first === undefined ? null : first.key.slice(0, first.key.lastIndexOf('/'));
}

export function manifestKey(folder: string): string {
  return `${folder}/${MANIFEST}`;
}

/** One part of a key: letters, digits, `_`, `-` and inner dots; never empty, `.`, `..` or with a slash. */
function segment(name: string): string {
  const plain = name
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/-_+/g, '-')
    .replace(/^\.+/, '')
    .slice(0, 120);
  return plain === '' ? '_' : plain;
}
