import type { Container } from '../container';
import type { ServiceSpec } from './swarm-inspect';

/** Why no update of a service can be made whatever data it has, as sentences with the remedy; null: it can. */
export function whyWrongMode({ Name, Mode }: ServiceSpec): string | null {
  if (Mode.ReplicatedJob !== undefined || Mode.GlobalJob !== undefined)
    return `${Name} is a job: its tasks end on their own, so no update of it could be checked.`;
  if (Mode.Replicated === undefined || (Mode.Replicated.Replicas ?? 1) > 0) return null;
  return `${Name} has no task (it is scaled to 0), so no update of it could be checked. Scale it first: docker service scale ${Name}=1.`;
}

/**
 * Why the data of a service, or of its set, cannot be protected, so that no update can be made; null: it can be, or there is none.
 * `members`: those of its set. Another database without backup.kind may be a cache: as with containers, it waits for approval.
 */
export function whyUnprotected(service: Container, members: readonly Container[]): string | null {
  const { name, labels, application, project, swarm } = service;
  const unread =
    labels.backup === null && labels.problems.some(({ label }) => label === 'backup.kind' || label === 'backup.paths');
  if (unread)
    return `${name} has data by its label backup.kind, which cannot be read: correct it. No backup, no update.`;
  for (const member of members) {
    const data = member.swarm?.data;
    if (data === undefined || !('why' in data)) continue;
    const whose =
      member.name === name
        ? ''
        : `${name} is in the stack ${project ?? ''} with ${member.name}, whose data cannot be backed up. `;
    return `${whose}${data.why} No backup, no update.`;
  }
  if (labels.backup !== null || application !== 'postgres' || swarm?.data === undefined || !('why' in swarm.data))
    return null;
  return `${name} is a PostgreSQL server, and the major version of its data cannot be compared with that of a new image. ${swarm.data.why}`;
}
