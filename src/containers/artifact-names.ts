/** Names that a container has while an update has renamed it; they show in `docker ps` where it comes from. */
const MARK = '.diun-pilot-';

/** `kept`: it only holds files of the old one. `backup`: through it the files of a service are read that is scaled to 0. */
export type Role = 'old' | 'new' | 'check' | 'kept' | 'backup' | 'restore' | 'drill' | 'rehearsal';

/** Docker's names allow `[a-zA-Z0-9][a-zA-Z0-9_.-]*`; the update's id makes it unique. */
export function asideName(container: string, role: Role, updateId: string): string {
  return `${container}${MARK}${role}-${updateId.slice(-10).toLowerCase()}`;
}

export function isOurs(name: string): boolean {
  return /\.diun-pilot-(old|new|check|kept|backup|restore|drill|rehearsal)-[0-9a-z]{10}$/.test(name);
}

/** A container that only looks at a copy: nothing else depends on it, and it may be removed at any time. */
export function isOneOff(name: string): boolean {
  return /\.diun-pilot-(check|drill|rehearsal)-[0-9a-z]{10}$/.test(name);
}

/** The container whose copy it looks at. */
export function containerOfOneOff(name: string): string {
  return name.replace(/\.diun-pilot-(check|drill|rehearsal)-[0-9a-z]{10}$/, '');
}

/** A container that moves or reads the files of another one: it has their volumes mounted, and holds nothing of its own. */
export function holdsNothing(name: string): boolean {
  return /\.diun-pilot-(backup|restore)-[0-9a-z]{10}$/.test(name);
}

/**
 * Of a container that an update or a restore created or renamed: its container's own name, its role, and the end of the id of that
 * update or restore. Null: it is not one.
 */
export function asideParts(name: string): { container: string; role: Role; mark: string } | null {
  const found = /^(.+)\.diun-pilot-(old|new|check|kept|backup|restore)-([0-9a-z]{10})$/.exec(name);
  return found === null ? null : { container: found[1] ?? '', role: found[2] as Role, mark: found[3] ?? '' };
}

const REHEARSAL = /\.diun-pilot-rehearsal-([0-9a-z]{10})$/;

/** The end of the rehearsal's id, of a container that a rehearsal created; null: it is not one. */
export function rehearsalMark(name: string): string | null {
  return REHEARSAL.exec(name)?.[1] ?? null;
}
