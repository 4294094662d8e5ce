import { type BackupPlace, isServer, membersOf, backupPlaceOf, samePlace } from '../domain/backups/backup';
import type { Container } from '../domain/container';
import { dependentsOf, inStartOrder } from '../domain/compose/depends-on';

/**
 * Every container that is known to write the data of a set, in the order in which they are started: those whose files
 * belong to it, and those that directly depend on one of its database servers. Never the servers themselves, since they
 * must run to be dumped, and never diun-pilot.
 */
export function writersOf(place: BackupPlace, containers: readonly Container[]): Container[] {
  const members = membersOf(place, containers);
  const servers = new Set(members.filter(isServer).map(({ id }) => id));
  const writers = new Map<string, Container>();
  for (const member of members) {
    const written = isServer(member) ? dependentsOf(member, containers) : [member];
    for (const writer of written) if (!writer.self && !servers.has(writer.id)) writers.set(writer.id, writer);
  }
  return inStartOrder([...writers.values()]);
}

/** Containers of `docker compose run` that may write to the data of a set while they run. */
export function composeRunsOf(place: BackupPlace, containers: readonly Container[]): Container[] {
  const members = membersOf(place, containers);
  const servers = members.filter(isServer).map(({ service }) => service);
  const writing = [...members, ...writersOf(place, containers)].map(({ service }) => service);
  return containers.filter(
    (container) =>
      container.composeRun &&
      samePlace(backupPlaceOf(container), place) &&
      container.labels.quiesce !== 'never' &&
      (writing.includes(container.service) ||
        servers.some((name) => container.dependsOn.some((each) => each === name))),
  );
}

/** Which containers are stopped for the backup that precedes an update of this one; empty where it holds no data. */
export function stoppedForBackup(container: Container, containers: readonly Container[]): Container[] {
  if (!holdsData(container, containers)) return [];
  return writersOf(backupPlaceOf(container), containers).filter(({ labels }) => labels.quiesce !== 'never');
}

/**
 * Services that may write to the set while it is backed up, since they are not scaled to 0. Swarm does not say which ones use a
 * database: each of the stack may, unless its operator says that it does not (`backup.quiesce: never`).
 */
export function whoGoesOn(service: Container, services: readonly Container[]): Container[] {
  return writersOf(backupPlaceOf(service), services).filter(
    ({ labels, swarm }) => labels.quiesce === 'never' && swarm?.neverWrites !== true,
  );
}

/** The operator said so by `backup.kind`, or the container uses a database of its set and does not opt out of that. */
export function holdsData(container: Container, containers: readonly Container[]): boolean {
  if (container.labels.backup !== null) return true;
  return container.labels.quiesce !== 'never' && usesDatabase(container, containers);
}

/** The data of the set may be another after an update of this container, whatever `backup.quiesce` says of it. */
export function canChangeData(container: Container, containers: readonly Container[]): boolean {
  return container.labels.backup !== null || usesDatabase(container, containers);
}

/** Its service directly depends on that of a database server of the set: a new version of it can migrate the schema. */
function usesDatabase(container: Container, containers: readonly Container[]): boolean {
  return membersOf(backupPlaceOf(container), containers)
    .filter(isServer)
    .some((server) => dependentsOf(server, [container]).length > 0);
}
