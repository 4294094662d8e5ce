import { readContainers } from '../containers/read-containers';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { Engine } from '../ports/engine';

/** Who renews and who serves, of one compose project; what is outside any project belongs together too. */
export interface RenewalPlace {
  project: string | null;
  certbots: Container[];
  servers: Container[];
}

/** The containers of this engine with the label `renewal.role`. */
export async function findPlaces({
  engine,
  selfId,
}: {
  engine: Engine;
  selfId: string | null;
}): Promise<RenewalPlace[]> {
  return renewalPlaces(await readContainers(engine, selfId));
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
export type RenewalDeps = Pick<
  Deps,
  'engine' | 'store' | 'certificates' | 'clock' | 'logger' | 'mode' | 'publicUrl' | 'selfId'
>;

export type LookDeps = Pick<RenewalDeps, 'engine' | 'certificates' | 'selfId'>;
