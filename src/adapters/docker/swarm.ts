import { EngineError, type PilotError } from '../../domain/errors';
import type { NodeInspect, ServiceInspect, ServiceSpec, TaskInspect } from '../../domain/services/swarm-inspect';
import type { Swarm, SwarmRole } from '../../ports/swarm';
import { type Call, dockerAddress, Wire } from './wire';
import { engineStatusOf, toEngineError } from './engine-errors';
import { registryAuth } from './registry/credentials';

/** The Swarm of the engine behind `DOCKER_HOST`; nothing is asked before the first call. Throws `invalid_settings`. */
export function createDockerSwarm(settings: { dockerHost: string | null; dockerConfigDir: string | null }): Swarm {
  const wire = new Wire(dockerAddress(settings.dockerHost));
  return {
    role: () => role(wire),
    services: () => call<ServiceInspect[]>(wire, { method: 'GET', path: '/services' }),
    service: (nameOrId) => call<ServiceInspect>(wire, { method: 'GET', path: at(nameOrId) }),
    tasks: (serviceId) => {
      const query = { filters: JSON.stringify({ service: [serviceId] }) };
      return call<TaskInspect[]>(wire, { method: 'GET', path: '/tasks', query });
    },
    nodes: () => call<NodeInspect[]>(wire, { method: 'GET', path: '/nodes' }),
    rollOut: async (seen, spec) => {
      const headers = await registryAuth(settings.dockerConfigDir, spec.TaskTemplate.ContainerSpec?.Image ?? '');
      await update(wire, seen, spec, headers);
    },
    update: (seen, spec) => update(wire, seen, spec, {}),
    rollBack: async ({ ID, Version, Spec }) => {
      const query = { version: String(Version.Index), rollback: 'previous' };
      await call(wire, { method: 'POST', path: `${at(ID)}/update`, query, body: Spec });
    },
  };
}

function at(nameOrId: string): `/services/${string}` {
  return `/services/${encodeURIComponent(nameOrId)}`;
}

async function role(wire: Wire): Promise<SwarmRole> {
  const { Swarm: swarm } = await wire.call<{ Swarm?: SwarmInfo }>({ method: 'GET', path: '/info' });
  // While the engine starts, it does not know yet whether it is a manager.
  if (swarm?.LocalNodeState === 'pending')
    throw new EngineError('engine_unreachable', 'The engine has not rejoined its Swarm yet: wait for it.');
  if (!swarm?.NodeID || swarm.LocalNodeState === 'inactive') return { role: 'none' };
  return { role: swarm.ControlAvailable === true ? 'manager' : 'worker', nodeId: swarm.NodeID };
}

interface SwarmInfo {
  NodeID?: string;
  LocalNodeState?: string;
  ControlAvailable?: boolean;
}

/** Without a login in the headers the engine keeps that of the spec, which the client that created the service gave it. */
async function update(
  wire: Wire,
  { ID, Version }: Pick<ServiceInspect, 'ID' | 'Version'>,
  spec: ServiceSpec,
  headers: Record<string, string>,
): Promise<void> {
  const query = { version: String(Version.Index), registryAuthFrom: 'spec' };
  await call(wire, { method: 'POST', path: `${at(ID)}/update`, query, body: spec, headers });
}

async function call<T>(wire: Wire, asked: Call): Promise<T> {
  try {
    return await wire.call<T>(asked);
  } catch (error) {
    throw swarmError(toEngineError(error));
  }
}

/** Only the engine's words distinguish the causes of one status (moby, daemon/cluster; swarmkit, manager/controlapi). */
function swarmError(error: PilotError): PilotError {
  const { message } = error;
  const as = (code: EngineError['code'], words: string): EngineError => new EngineError(code, words, { cause: error });
  if (engineStatusOf(error) === 404 && /service .{0,300}not found/i.test(message)) {
    return as('service_not_found', 'There is no such service: it was removed.');
  }
  if (/update out of sequence/i.test(message)) {
    return as('changed_meanwhile', 'Another client updated the service at the same moment.');
  }
  if (
    /does not have a leader|no (?:elected )?(?:primary|cluster) (?:manager|leader)|raft:|context deadline/i.test(
      message,
    )
  ) {
    return as('engine_unreachable', `The Swarm has no leader that answers now: ${message}`);
  }
  return error;
}
