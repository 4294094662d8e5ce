import type { EndpointSettings } from '../../domain/engine-inspect';
import type { ListedContainer, ListedImage } from '../../ports/engine';
import type { Wire } from './wire';

/** What is read of `GET /containers/json`. `Names` also has a name for each legacy link, such as `/app/db`. */
interface ContainerSummary {
  Id: string;
  Names: string[] | null;
  State: string;
  NetworkSettings: { Networks: Record<string, EndpointSettings> | null } | null;
}

/** What is read of `GET /images/json`. */
interface ImageSummary {
  Id: string;
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
}

/** In these states an inspect says `Running` (moby, container/state.go). */
const RUNNING = new Set(['running', 'paused', 'restarting']);

export async function containers(wire: Wire): Promise<ListedContainer[]> {
  const query = { all: 'true' };
  const all = await wire.call<ContainerSummary[]>({ method: 'GET', path: '/containers/json', query });
  return all.map(({ Id, Names, State, NetworkSettings }) => ({
    id: Id,
    name: Names?.find((name) => name.lastIndexOf('/') === 0)?.slice(1) ?? null,
    running: RUNNING.has(State),
    status: State as ListedContainer['status'],
    networks: NetworkSettings?.Networks ?? {},
  }));
}

export async function images(wire: Wire): Promise<ListedImage[]> {
  const all = await wire.call<ImageSummary[]>({ method: 'GET', path: '/images/json' });
  return all.map(({ Id, RepoTags, RepoDigests }) => ({
    id: Id,
    repoTags: (RepoTags ?? []).filter(isNamed),
    repoDigests: (RepoDigests ?? []).filter(isNamed),
  }));
}

/** Before API 1.43 an image without a name is listed as `<none>:<none>`; an inspect has no such name. */
function isNamed(name: string): boolean {
  return !name.startsWith('<none>');
}
