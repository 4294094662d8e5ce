import { inspectIfReadable, readContainers } from '../containers/read-containers';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { Engine } from '../ports/engine';

/** Who renews and who serves, of one compose project; what is outside any project belongs together too. */
export interface RenewalPlace {
  project: string | null;
  certbots: Container[];
  servers: Container[];
}

/**
 * The containers of this engine with the label `renewal.role`. Without those that `docker compose run` left behind: they
 * would repeat an earlier command, such as the one for the first certificate.
 */
export async function findPlaces({
  engine,
  selfId,
}: {
  engine: Engine;
  selfId: string | null;
}): Promise<RenewalPlace[]> {
  const containers = (await readContainers(engine, selfId)).filter(({ labels }) => labels.renewalRole !== null);
  const kept = await Promise.all(containers.map(async ({ id }) => !(await isOneOff(engine, id))));
  return renewalPlaces(containers.filter((_, i) => kept[i]));
}

async function isOneOff(engine: Engine, id: string): Promise<boolean> {
  const inspect = await inspectIfReadable(engine, id);
  return inspect === null || inspect.Config.Labels?.['com.docker.compose.oneoff'] === 'True';
}

function renewalPlaces(containers: readonly Container[]): RenewalPlace[] {
  const places = new Map<string | null, RenewalPlace>();
  for (const container of containers) {
    const role = container.labels.renewalRole;
    if (role === null) continue;
    const { project } = container;
    const place = places.get(project) ?? { project, certbots: [], servers: [] };
    places.set(project, place);
    (role === 'certbot' ? place.certbots : place.servers).push(container);
  }
  return [...places.values()];
}

/** What the renewal of certificates needs. */
export type RenewalDeps = Pick<Deps, 'engine' | 'store' | 'certificates' | 'clock' | 'logger' | 'publicUrl' | 'selfId'>;

export type LookDeps = Pick<RenewalDeps, 'engine' | 'certificates' | 'selfId'>;
