import type { Container } from '../domain/container';
import { dependentsOf, inStartOrder } from '../domain/depends-on';
import { membersOf, type BackupPlace } from './backup-set';

/**
 * Who is known to write the data of a set, in the order in which they are started: the containers whose files belong to
 * it, and whoever directly depends on one of its database servers. Never the servers themselves, since they must run to
 * be dumped, and never diun-pilot.
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

function isServer({ labels }: Container): boolean {
  return labels.backup?.kind === 'postgres';
}
