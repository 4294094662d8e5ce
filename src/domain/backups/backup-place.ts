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

export function isServer({ labels }: Container): boolean {
  return labels.backup?.kind === 'postgres';
}

function rank(container: Container): number {
  return container.labels.backup?.kind === 'postgres' ? 0 : 1;
}
