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

export function readDependsOn(label: string | undefined): string[] {
  return (label ?? '')
    .split(',')
    .map((entry) => entry.split(':')[0]?.trim() ?? '')
    .filter((service) => service !== '');
}
