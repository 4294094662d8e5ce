import type { Container } from '../container';
import { byCodeUnits } from '../text/compare';

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
    .filter((container) => container.labels.backup !== null && samePlace(placeOf(container), place))
    .sort((a, b) => rank(a) - rank(b) || byCodeUnits(a.name, b.name));
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

export function isServer({ labels }: Container): boolean {
  return labels.backup?.kind === 'postgres';
}

function rank(container: Container): number {
  return container.labels.backup?.kind === 'postgres' ? 0 : 1;
}
