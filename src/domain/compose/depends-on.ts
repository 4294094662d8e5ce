import type { Container } from '../container';

/**
 * Containers of the same project whose service depends on this one's, by Compose's label
 * `com.docker.compose.depends_on` (`db:service_healthy:true,cache:service_started:false`). Without those of
 * `docker compose run`, which end on their own.
 */
export function dependentsOf(container: Container, all: readonly Container[]): Container[] {
  if (container.project === null || container.service === null) return [];
  return all.filter(
    (other) =>
      !other.composeRun &&
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

/** Of those, the services with `restart: true`, the third field: if one is replaced, this container must be restarted. */
export function readRestartsWith(label: string | undefined): string[] {
  return (label ?? '')
    .split(',')
    .map((entry) => entry.split(':').map((field) => field.trim()))
    .filter(([service, , restart]) => service !== '' && restart === 'true')
    .map(([service = '']) => service);
}

/**
 * Containers that must be restarted when this one is replaced, in the order in which they are started: those that depend on
 * it with `restart: true`, and those that depend on them in the same way. nginx is only reloaded, so its dependents are not
 * among them. Never diun-pilot, its way to the engine, or a container that does not run or that a stop would delete.
 */
export function restartedWith(container: Container, all: readonly Container[]): Container[] {
  const found = new Map<string, Container>();
  const add = (replaced: Container): void => {
    for (const dependent of dependentsOf(replaced, all)) {
      const isOrdered = replaced.service !== null && dependent.restartsWith.includes(replaced.service);
      if (!isOrdered || dependent.id === container.id || found.has(dependent.id)) continue;
      if (!mayRestart(dependent)) continue;
      found.set(dependent.id, dependent);
      if (!dependent.nginx) add(dependent);
    }
  };
  add(container);
  return inStartOrder([...found.values()]);
}

function mayRestart({ running, status, self, engineDoor, pilot, autoRemove }: Container): boolean {
  return running && status !== 'paused' && !self && !engineDoor && pilot === null && !autoRemove;
}

/**
 * A container comes before those that depend on it, otherwise by name; they are stopped in the reverse order. A cycle,
 * which Compose refuses, is broken at its first container by name.
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
