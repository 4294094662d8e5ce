import type { CreateRequest, EndpointSettings } from '../../domain/engine-inspect';
import { EngineError, messageOf, type PilotError } from '../../domain/errors';
import type { Wire } from './wire';

/** From here on a MAC address belongs to the endpoint; before, to the container (Engine API 1.44). */
const MAC_OF_ENDPOINT = 44;

/** Creates and joins the further networks. A network that refuses takes the container away again. */
export async function createContainer(wire: Wire, name: string, request: CreateRequest): Promise<string> {
  const body = withMacAddress(request.body, await wire.apiVersion());
  const { Id } = await wire.call<{ Id: string }>({ method: 'POST', path: '/containers/create', query: { name }, body });
  try {
    for (const { network, endpoint } of request.connect) await join(wire, Id, network, endpoint);
  } catch (error) {
    await takeAway(wire, Id, error as PilotError);
    throw error;
  }
  return Id;
}

/** The engine lets a container that is not started join a network that does not exist, and fails at its start (m, 26.1): too late. */
async function join(wire: Wire, id: string, network: string, endpoint: EndpointSettings): Promise<void> {
  const path = `/networks/${encodeURIComponent(network)}` as const;
  await wire.call({ method: 'GET', path });
  await wire.command({ method: 'POST', path: `${path}/connect`, body: { Container: id, EndpointConfig: endpoint } });
}

async function takeAway(wire: Wire, id: string, why: PilotError): Promise<void> {
  try {
    await wire.command({ method: 'DELETE', path: `/containers/${id}` });
  } catch (error) {
    const told = `${messageOf(why)} The container ${id.slice(0, 12)} is left behind: ${messageOf(error)}`;
    throw new EngineError('engine_refused', told, { cause: why });
  }
}

function withMacAddress(body: CreateRequest['body'], api: string): CreateRequest['body'] {
  const macs = Object.values(body.NetworkingConfig.EndpointsConfig).flatMap(({ MacAddress }) => MacAddress ?? []);
  const isOld = Number(api.split('.')[1]) < MAC_OF_ENDPOINT;
  return isOld && macs[0] !== undefined ? { ...body, MacAddress: macs[0] } : body;
}
