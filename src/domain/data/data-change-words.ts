import type { DataChange } from './data-fingerprint';

const LONGEST_WHY = 200;

/** `database app of db: schema_version 114 → 135, 3 tables added (…)`, for each database that changed. */
export function changesOf({ changes }: DataChange): string {
  return changes.join('; ');
}

/** What is not known of a change, as one sentence; null: all was read. */
export function unknownChange({ unread }: DataChange): string | null {
  if (unread.length === 0) return null;
  const each = unread.map(({ what, why }) => `${oneLine(what)} (${oneLine(why)})`).join('; ');
  return `Whether the new version changed the data is not known, because this could not be read: ${each}.`;
}

/** For the detail of a step: what changed, that nothing did, or that it is not known. */
export function changeAsDetail(change: DataChange): string {
  const unknown = unknownChange(change);
  if (change.changes.length > 0) {
    return `the new version changed the data: ${changesOf(change)}${unknown === null ? '' : `. ${unknown}`}`;
  }
  return unknown ?? 'the schema of its databases is unchanged';
}

function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\s]+/gu, ' ').trim();
  return line.length <= LONGEST_WHY ? line : `${line.slice(0, LONGEST_WHY - 1)}…`;
}
