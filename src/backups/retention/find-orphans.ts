import { MANIFEST } from '../set-keys';

const DAY_MS = 86_400_000;
/** `shop/20261123T020000Z-01JD…/03-gitea-files-data.tar.gz`: what `set-keys` writes, and nothing else. */
const ITEM = /^([^/]+\/(\d{8}T\d{6}Z)-([0-7][0-9A-HJKMNP-TV-Z]{25}))\/(\d{2,}-[^/]+|manifest\.json)$/;

export interface Orphan {
  folder: string;
  recordId: string;
  keys: string[];
}

/**
 * What an interrupted backup left: folders of our own layout without a manifest, started more than a day ago. A folder
 * that holds anything else is not ours and left alone.
 */
export function findOrphans(keys: readonly string[], now: Date): Orphan[] {
  const folders = new Map<string, string[]>();
  for (const key of keys) {
    const folder = key.slice(0, Math.max(key.lastIndexOf('/'), 0));
    folders.set(folder, [...(folders.get(folder) ?? []), key]);
  }
  return [...folders].flatMap(([folder, inside]) => {
    const matches = inside.map((key) => ITEM.exec(key));
    const [, , started = '', recordId = ''] = matches[0] ?? [];
    const ours = matches.every((match) => match !== null);
    if (!ours || inside.includes(`${folder}/${MANIFEST}`)) return [];
    return now.getTime() - timeOf(started) > DAY_MS ? [{ folder, recordId, keys: inside }] : [];
  });
}

/** NaN for an invalid time: nothing is older than that. */
function timeOf(compact: string): number {
  return Date.parse(compact.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
