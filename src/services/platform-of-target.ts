import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { platformOf, type Platform } from '../domain/recreate/platform';
import type { NodeInspect } from '../domain/services/swarm-inspect';

/** The platform of a container, or that of all nodes of its Swarm for a service; null: not known, or there are several. */
export async function platformOfTarget(
  { engine, swarm }: Pick<Deps, 'engine' | 'swarm'>,
  target: Container,
): Promise<Platform | null> {
  if (target.swarm) return platformOfNodes(await swarm.nodes());
  const inspect = await engine.inspectContainer(target.id);
  return platformOf(inspect, await engine.inspectImage(inspect.Image));
}

function platformOfNodes(nodes: readonly NodeInspect[]): Platform | null {
  const found = new Set(nodes.map(({ Description: { Platform: is } }) => `${is?.OS ?? ''}/${is?.Architecture ?? ''}`));
  const [os = '', machine = ''] = [...found][0]?.split('/') ?? [];
  const architecture = ARCHITECTURES[machine];
  return found.size === 1 && os !== '' && architecture !== undefined ? { os, architecture, variant: '' } : null;
}

/** A node names its machine as the kernel does. */
const ARCHITECTURES: Record<string, string> = {
  ...{ x86_64: 'amd64', amd64: 'amd64', aarch64: 'arm64', arm64: 'arm64' },
  ...{ s390x: 's390x', ppc64le: 'ppc64le', riscv64: 'riscv64' },
};
