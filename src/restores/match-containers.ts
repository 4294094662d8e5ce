import type { BackupItem, BackupManifest } from '../domain/backups/backup';
import type { Container } from '../domain/container';

/**
 * The container that an item's data goes back to: of the target project by its Compose service, else by its name. On
 * another host names and projects may differ, services do not. Null: there is none.
 */
export function containerFor(
  item: Pick<BackupItem, 'container' | 'service'>,
  manifest: Pick<BackupManifest, 'project'>,
  target: string | null,
  containers: readonly Container[],
): Container | null {
  const project = target ?? manifest.project;
  if (project === null) return containers.find(({ name }) => name === item.container) ?? null;
  const service = item.service ?? serviceIn(item.container, manifest.project);
  const found = containers.filter(
    (container) => container.project === project && service !== null && container.service === service,
  );
  const named = containers.filter(({ name, project: own }) => name === item.container && own === project);
  const alone = containers.filter(({ name, project: own }) => own === null && name === project);
  return found.find(({ name }) => name === item.container) ?? found[0] ?? named[0] ?? alone[0] ?? null;
}

/** Compose names a container `PROJECT-SERVICE-1` where the operator does not. */
function serviceIn(container: string, project: string | null): string | null {
  const prefix = `${project}-`;
  if (project === null || !container.startsWith(prefix)) return null;
  return container.slice(prefix.length).replace(/-\d+$/, '');
}
