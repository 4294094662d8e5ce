import type { Container } from '../domain/container';

/** Whose data belongs together: a compose project, or for a container outside any project that container alone. */
export interface BackupPlace {
  project: string | null;
  /** Only for a container outside any project. */
  container: string | null;
}

export function placeOf(container: Pick<Container, 'project' | 'name'>): BackupPlace {
  return container.project === null
    ? { project: null, container: container.name }
    : { project: container.project, container: null };
}

/** The containers whose data is backed up together, databases first: rows are read before the files they speak of. */
export function membersOf(place: BackupPlace, containers: readonly Container[]): Container[] {
  return containers
    .filter((container) => container.labels.backup !== null && isAt(container, place))
    .sort((a, b) => rank(a) - rank(b) || compare(a.name, b.name));
}

/** Every set of this engine, in order of name. */
export function backupSets(containers: readonly Container[]): { place: BackupPlace; members: Container[] }[] {
  const places = new Map<string, BackupPlace>();
  for (const container of containers) {
    if (container.labels.backup !== null) places.set(keyOfPlace(placeOf(container)), placeOf(container));
  }
  return [...places.entries()]
    .sort(([a], [b]) => compare(a, b))
    .map(([, place]) => ({ place, members: membersOf(place, containers) }));
}

export function samePlace(a: BackupPlace, b: BackupPlace): boolean {
  return a.project === b.project && a.container === b.container;
}

/** The key of a place; it distinguishes a project from a container of the same name. */
export function keyOfPlace(place: BackupPlace): string {
  return place.project === null ? `container ${place.container}` : `project ${place.project}`;
}

/** The name of the place, for people and for keys. */
export function scopeName(place: BackupPlace): string {
  return place.project ?? place.container ?? 'unnamed';
}

function isAt(container: Container, place: BackupPlace): boolean {
  return samePlace(placeOf(container), place);
}

function rank(container: Container): number {
  return container.labels.backup?.kind === 'postgres' ? 0 : 1;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
