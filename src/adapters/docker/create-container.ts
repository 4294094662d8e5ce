import type { CreateRequest, EndpointSettings } from '../../domain/engine-inspect';
import { EngineError, messageOf, type PilotError } from '../../domain/errors';
import type { Wire } from './wire';
import { shortId } from '../../domain/format';

/** From here on a MAC address belongs to the endpoint; before, to the container (Engine API 1.44). */
const MAC_OF_ENDPOINT = 44;

/** Creates and joins the further networks. A network that refuses takes the container away again. */
export async function createContainer(wire: Wire, name: string, request: CreateRequest): Promise<string> {
  const { body, connect, platform } = withMacAddresses(request, Number((await wire.apiVersion()).split('.')[1]));
  for (const network of furtherNetworks(body)) await mustExist(wire, network);
  const query = { name, platform };
  const { Id } = await wire.call<{ Id: string }>({ method: 'POST', path: '/containers/create', query, body });
  try {
    for (const { network, endpoint } of connect) await join(wire, Id, network, endpoint);
  } catch (error) {
    await takeAway(wire, Id, error as PilotError);
    throw error;
  }
  return Id;
}

/** The engine lets a container that is not started join a network that does not exist, and fails at its start (measured, Engine 26.1): too late. */
async function mustExist(wire: Wire, network: string): Promise<void> {
  await wire.call({ method: 'GET', path: `/networks/${encodeURIComponent(network)}` });
}

async function join(wire: Wire, id: string, network: string, endpoint: EndpointSettings): Promise<void> {
  const path = `/networks/${encodeURIComponent(network)}` as const;
  await mustExist(wire, network);
  await wire.command({ method: 'POST', path: `${path}/connect`, body: { Container: id, EndpointConfig: endpoint } });
}

async function takeAway(wire: Wire, id: string, why: PilotError): Promise<void> {
  try {
    await wire.command({ method: 'DELETE', path: `/containers/${id}` });
  } catch (error) {
    const message = `${messageOf(why)} The container ${shortId(id)} is left behind: ${messageOf(error)}`;
    throw new EngineError('engine_refused', message, { cause: why });
  }
}

/**
 * A network that is joined after the creation loses its MAC address at the start (measured, Engine 26.1; API 1.54 fixes it), although
 * inspect shows it before. A network in the create request keeps it, which takes several of them from API 1.44 on.
 */
function withMacAddresses(request: CreateRequest, api: number): CreateRequest {
  if (api < MAC_OF_ENDPOINT) return { ...request, body: withMacOfContainer(request.body) };
  const withMac = request.connect.filter(({ endpoint }) => endpoint.MacAddress);
  const further = Object.fromEntries(withMac.map(({ network, endpoint }) => [network, endpoint]));
  const { NetworkingConfig, ...body } = request.body;
  const EndpointsConfig = { ...NetworkingConfig.EndpointsConfig, ...further };
  return {
    ...request,
    body: { ...body, NetworkingConfig: { EndpointsConfig } },
    connect: request.connect.filter((each) => !withMac.includes(each)),
  };
}

function furtherNetworks({ HostConfig, NetworkingConfig }: CreateRequest['body']): string[] {
  return Object.keys(NetworkingConfig.EndpointsConfig).filter((network) => network !== HostConfig.NetworkMode);
}

function withMacOfContainer(body: CreateRequest['body']): CreateRequest['body'] {
  const macs = Object.values(body.NetworkingConfig.EndpointsConfig).flatMap(({ MacAddress }) => MacAddress ?? []);
  return macs[0] === undefined ? body : { ...body, MacAddress: macs[0] };
}
