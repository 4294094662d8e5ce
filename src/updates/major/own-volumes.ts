import { inspectIfThere } from '../../containers/read-containers';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { codeOf } from '../../domain/errors';
import { HOLDS_NOTHING } from '../../restores/files/move-scripts';
import { runOneOff } from '../../restores/files/one-off';
import { clean } from '../../restores/files/swap-places';
import type { ActiveUpdate } from '../run';

/**
 * Whether the volumes that the engine made for the container of a new PostgreSQL major alone hold no file: the image from 18 on declares
 * one above the data directory. False: there is none, one has a file, or that is not known. Rejects only with `engine_unreachable`.
 */
export async function ownVolumesAreEmpty({ engine, journal }: ActiveUpdate): Promise<boolean> {
  const { major, oldContainerId, newContainerId, containerName } = journal;
  if (major === undefined || newContainerId === null) return false;
  const [old, fresh] = await Promise.all([oldContainerId, newContainerId].map((id) => inspectIfThere(engine, id)));
  if (!old || !fresh) return false;
  const own = ownVolumes(old, fresh);
  const of = { id: newContainerId, name: containerName };
  for (const path of own) {
    const args = [path, ...fresh.Mounts.map(({ Destination }) => clean(Destination))];
    try {
      await runOneOff(engine, { of, image: major.shell, mark: major.mark, script: HOLDS_NOTHING, args, path });
    } catch (error) {
      if (!['restore_failed', 'engine_refused', 'image_not_found'].includes(codeOf(error))) throw error;
      return false;
    }
  }
  return own.length > 0;
}

/** Where those without a name are mounted that the old container has not got. */
function ownVolumes(old: ContainerInspect, fresh: ContainerInspect): string[] {
  const known = new Set(old.Mounts.map(({ Name }) => Name));
  return fresh.Mounts.filter(({ Type, Name = '' }) => Type === 'volume' && NAMELESS.test(Name) && !known.has(Name)).map(
    ({ Destination }) => clean(Destination),
  );
}

const NAMELESS = /^[0-9a-f]{64}$/;
