import {
  type BackupItem,
  type BackupPlace,
  type BackupRecord,
  keyOfPlace,
  membersOf,
  backupPlaceOf,
} from '../domain/backups/backup';
import type { Container } from '../domain/container';
import { byCodeUnits } from '../domain/text/compare';

/** Every set of this engine, in order of name. */
export function backupSets(containers: readonly Container[]): { place: BackupPlace; members: Container[] }[] {
  const places = new Map<string, BackupPlace>();
  for (const container of containers) {
    if (container.labels.backup !== null) places.set(keyOfPlace(backupPlaceOf(container)), backupPlaceOf(container));
  }
  return [...places.entries()]
    .sort(([a], [b]) => byCodeUnits(a, b))
    .map(([, place]) => ({ place, members: membersOf(place, containers) }));
}

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

/** What a set holds of one database server. */
export interface DumpedServer {
  /** Name of its container. */
  container: string;
  roles: BackupItem[];
  /** At least one. */
  databases: [BackupItem, ...BackupItem[]];
}

/** The servers whose databases a set holds, in its order. */
export function serversIn(items: readonly BackupItem[]): DumpedServer[] {
  const names = new Set(items.filter(({ kind }) => kind === 'database').map(({ container }) => container));
  return [...names].map((container) => {
    const of = (kind: BackupItem['kind']): BackupItem[] =>
      items.filter((item) => item.container === container && item.kind === kind);
    return { container, roles: of('globals'), databases: of('database') as DumpedServer['databases'] };
  });
}

/** Whether a set has each member by its name, with the paths that its labels name now. */
export function holdsMembers({ items }: Pick<BackupRecord, 'items'>, members: readonly Container[]): boolean {
  return members.every(({ name, labels: { backup } }) => {
    const own = items.filter(({ container }) => container === name);
    if (backup?.kind !== 'files') return own.length > 0;
    return backup.paths.every((path) => own.some((item) => item.kind === 'files' && item.name === path));
  });
}
