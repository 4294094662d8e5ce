import type { Container } from './container';

/**
 * Containers of the same project whose service depends on this one's, by Compose's label
 * `com.docker.compose.depends_on` (`db:service_healthy:true,cache:service_started:false`).
 */
export function dependentsOf(container: Container, all: readonly Container[]): Container[] {
  if (container.project === null || container.service === null) return [];
  return all.filter(
    (other) =>
      other.project === container.project &&
      other.id !== container.id &&
      other.dependsOn.includes(container.service as string),
  );
}

/** The services of Compose's label `com.docker.compose.depends_on`; none where it is missing or empty. */
export function readDependsOn(label: string | undefined): string[] {
  return (label ?? '')
    .split(',')
    .map((entry) => entry.split(':')[0]?.trim() ?? '')
    .filter((service) => service !== '');
}

/**
 * Whom others depend on comes first, by name where nobody depends on anybody; stopped in the reverse order. A circle,
 * which Compose refuses, is broken at its first by name.
 */
export function inStartOrder(containers: readonly Container[]): Container[] {
  const ordered: Container[] = [];
  const visited = new Set<Container>();
  const visit = (container: Container): void => {
    if (visited.has(container)) return;
    visited.add(container);
    for (const other of containers) if (dependentsOf(other, [container]).length > 0) visit(other);
    ordered.push(container);
  };
  for (const container of containers.toSorted((a, b) => (a.name < b.name ? -1 : 1))) visit(container);
  return ordered;
}
