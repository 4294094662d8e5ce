import type { Container } from '../domain/container';
import { PilotError } from '../domain/errors';
import type { Engine } from '../ports/engine';

/**
 * A member of a backup set as its data is read now: of a service by the container of its task, a container as it is. Rejects with
 * `backup_failed` and the reason where the data of a service cannot be read here.
 */
export async function asReadNow(engine: Engine, member: Container): Promise<Container> {
  const data = member.swarm?.data;
  if (member.swarm === undefined) return member;
  if (data === undefined || 'why' in data)
    throw new PilotError('backup_failed', data?.why ?? `${member.name} has no data that is backed up.`);
  const { Id, Image } = await engine.inspectContainer(data.containerId);
  return { ...member, id: Id, imageId: Image };
}
