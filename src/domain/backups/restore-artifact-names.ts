/** Names of what a restore stores next to the data: unpacked data and previous data. No backup contains either. */
const MARKED = /\.diun-pilot-(?:restore|before)-[0-9a-z]{10}-\d{2,}$/;

const LONGEST_DATABASE_NAME = 63;

type Side = 'restore' | 'before';

/** A folder inside the one whose content changes places, so that it is in the same volume. */
export function artifactFolder(side: Side, mark: string, number: number): string {
  return `.diun-pilot-${side}-${mark}-${String(number).padStart(2, '0')}`;
}

/** PostgreSQL cuts names after 63 bytes; the number keeps two cut ones apart. */
export function asideDatabase(database: string, side: Side, mark: string, number: number): string {
  const suffix = artifactFolder(side, mark, number);
  return `${cutBytes(database, LONGEST_DATABASE_NAME - suffix.length)}${suffix}`;
}

/** Whether a folder or database has such a name. */
export function isRestoreArtifact(name: string): boolean {
  return MARKED.test(name);
}

function cutBytes(text: string, most: number): string {
  let kept = '';
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > most) break;
    kept += character;
  }
  return kept;
}
