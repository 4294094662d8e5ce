import { COMPOSE } from '../../../../domain/compose/compose-project';
import type { ContainerInspect, CreateRequest, ImageInspect } from '../../../../domain/engine-inspect';
import { configTest } from '../../../../domain/nginx/config-test';
import { createRequest } from '../../../../domain/recreate/create-request';
import { CONFIG_FIELDS, HOST_CONFIG_FIELDS } from '../../../../domain/recreate/known-fields';
import { endpointsByAnyName } from '../../../../domain/recreate/own-networks';
import { sourceOf, withVolumesOf } from '../../../../domain/recreate/own-mounts';
import {
  familyOf,
  isWatched,
  type Known,
  type MacAddresses,
  type Memory,
  mustBeItsImage,
  readName,
  remember,
  repositoryNamed,
  type Role,
  type Sight,
} from './family';
import { mustMatchShape } from './one-offs';
import {
  type Body,
  isNothing,
  isSameJson,
  isSameInAnyOrder,
  missing,
  mustBe,
  onlyKeys,
  refuse,
  Refused,
  words,
} from './strict';

/** A create request has what diun-pilot carries over, and no field that only an image brings. */
const FROM_IMAGE = ['ArgsEscaped', 'OnBuild'];
const CONFIG = new Set(
  [...CONFIG_FIELDS, 'HostConfig', 'NetworkingConfig'].filter((field) => !FROM_IMAGE.includes(field)),
);
/** An update changes them, and they give a container nothing. */
const COMPOSES_OWN = new Set<string>([COMPOSE.configHash, COMPOSE.image]);

/** Left out, the engine hides what root could write to in `/proc`; an empty list shows all of it. */
const MASKS = ['MaskedPaths', 'ReadonlyPaths'];
const isEmpty = (list: unknown): boolean => Array.isArray(list) && list.length === 0;
/** The engine lists mounts and links from maps. */
const IN_ANY_ORDER = words('Binds Mounts Links');

export interface CreateAsked {
  name: string;
  body: Body;
}

/** What one kind of container may be, compared with one that the operator created. */
interface Candidate {
  known: Known;
  expected: CreateRequest['body'];
}

/**
 * Passes a create request whose container is the same as one of its family, on an image of the same repository, or one of the
 * one-offs of diun-pilot (`one-offs.ts`). Throws `Refused`. Resolves with what the new container is.
 */
export async function judgeCreate(
  sight: Sight,
  memory: Memory,
  { name, body }: CreateAsked,
): Promise<{ role: Role; base: string }> {
  const { base, role } = readName(name);
  onlyKeys('the request', body, CONFIG);
  const host = onlyKeys('HostConfig', body['HostConfig'], HOST_CONFIG_FIELDS);
  const image = await requestedImage(sight, body['Image']);
  const opened = MASKS.find((field) => isEmpty(host[field]));
  const family = await familyOf(sight, memory, base, role);
  if (role !== 'plain' && role !== 'new' && role !== 'check') {
    if (opened !== undefined) refuse(`HostConfig.${opened} is empty`);
    await mustMatchShape({ role, body, host, image, family, sight, memory });
    return { base, role };
  }
  const open = family.filter(isWatched);
  mustBe(open.length > 0, `no container ${base} with the label diun.enable=true is there to be replaced`);
  const reasons: string[] = [];
  for (const known of open) {
    const reason = await reasonAgainst(() => mustReplace({ sight, memory }, known, { role, body, host, image }));
    if (reason === null) {
      memory.replaced.set(base, known);
      remember(memory.replaced);
      return { base, role };
    }
    reasons.push(reason);
  }
  return refuse(reasons[0] ?? '');
}

async function reasonAgainst(check: () => Promise<void>): Promise<string | null> {
  try {
    await check();
    return null;
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

async function requestedImage(sight: Sight, reference: unknown): Promise<ImageInspect> {
  if (typeof reference !== 'string' || !/^[A-Za-z0-9_.:@/-]+$/.test(reference) || /\/\.{0,2}\//.test(`/${reference}/`))
    refuse('its image is not a reference');
  return (await sight.image(reference)) ?? missing('image', reference);
}

interface Replacement {
  role: Role;
  body: Body;
  host: Body;
  image: ImageInspect;
}

async function mustReplace(
  { sight, memory }: { sight: Sight; memory: Memory },
  known: Known,
  { role, body, host, image }: Replacement,
): Promise<void> {
  mustBeItsImage(known, image);
  mustNameItsImage(known, body['Image'] as string);
  const candidate = { known, expected: await expectedOf(sight, known, image, body['Image'] as string) };
  if (role === 'check') mustOnlyTest(candidate, { body, host, image });
  else {
    mustHaveItsConfig(candidate, body, []);
    mustHaveItsLabels(candidate, body['Labels']);
    mustHaveItsHostConfig(candidate, host, new Set(['RestartPolicy']));
  }
  const macs = macAddressesOf(known.container, memory);
  const mac = body['MacAddress'];
  const isOwn = !mac || [known.container.Config.MacAddress, ...Object.values(macs)].includes(mac as string);
  mustBe(isOwn, 'MacAddress is not its own');
  const config = onlyKeys('NetworkingConfig', body['NetworkingConfig'], words('EndpointsConfig'));
  mustHaveItsNetworks(known.container, config['EndpointsConfig'], memory);
}

/** The name becomes that of the new container's image, and so decides what may replace it later. */
function mustNameItsImage({ container }: Known, reference: string): void {
  const own = container.Config.Image;
  const isSame = reference === own || /^sha256:[0-9a-f]{64}$/.test(reference);
  const repository = repositoryNamed(reference);
  mustBe(
    isSame || (repository !== null && repository === repositoryNamed(own)),
    `${reference} is not of the repository of ${own}`,
  );
}

/** As diun-pilot would create it. What `VolumesFrom` names is looked at again: a container there may have another's name by now. */
async function expectedOf(
  sight: Sight,
  { container, image: oldImage }: Known,
  newImage: ImageInspect,
  reference: string,
): Promise<CreateRequest['body']> {
  const gone = new Set<string>();
  for (const entry of container.HostConfig.VolumesFrom ?? []) {
    const source = await sight.container(sourceOf(entry));
    if (source === null) gone.add(sourceOf(entry));
    else mustBringNoMore(container, source);
  }
  return createRequest({ container: withVolumesOf(container, gone), oldImage, newImage, reference }).body;
}

function mustBringNoMore({ Mounts }: ContainerInspect, source: ContainerInspect): void {
  const has = new Set(Mounts.map(({ Destination, Source }) => `${Source}\n${Destination}`));
  const more = source.Mounts.find(({ Destination, Source }) => !has.has(`${Source}\n${Destination}`));
  if (more !== undefined) refuse(`HostConfig.VolumesFrom would bring ${more.Destination}, which it does not have`);
}

/** Everything outside of `HostConfig`: command, environment, user, health check … */
function mustHaveItsConfig({ expected }: Candidate, body: Body, free: readonly string[]): void {
  const elsewhere = ['Image', 'Labels', 'HostConfig', 'NetworkingConfig', 'MacAddress', ...free];
  const wanted = expected as unknown as Body;
  for (const field of CONFIG) {
    if (elsewhere.includes(field)) continue;
    mustBe(isSameJson(body[field], wanted[field]), `${field} is not that of the container it replaces`);
  }
}

function mustHaveItsLabels({ expected }: Candidate, labels: unknown): void {
  const asked = (labels ?? {}) as Record<string, unknown>;
  const wanted = expected.Labels ?? {};
  for (const name of new Set([...Object.keys(asked), ...Object.keys(wanted)])) {
    const isComposes = COMPOSES_OWN.has(name) && typeof asked[name] === 'string';
    mustBe(isComposes || asked[name] === wanted[name], `the label ${name} is not that of the container it replaces`);
  }
}

function mustHaveItsHostConfig({ expected }: Candidate, host: Body, free: ReadonlySet<string>): void {
  for (const field of new Set([...Object.keys(host), ...Object.keys(expected.HostConfig)])) {
    if (free.has(field)) continue;
    const same = IN_ANY_ORDER.has(field) ? isSameInAnyOrder : isSameJson;
    mustBe(
      same(host[field], expected.HostConfig[field]),
      `HostConfig.${field} is not that of the container it replaces`,
    );
  }
}

/** `nginx -t` in the new image: the same container without entrypoint, ports, labels and restarts. */
function mustOnlyTest(candidate: Candidate, { body, host, image }: Omit<Replacement, 'role'>): void {
  const test = configTest(candidate.expected.Entrypoint, image.Config);
  const onlyTests = isSameJson(body['Entrypoint'], test.Entrypoint) && isSameJson(body['Cmd'], test.Cmd);
  mustBe(onlyTests, 'Entrypoint and Cmd are not nginx -t');
  mustBe(isSameJson(body['Healthcheck'], { Test: ['NONE'] }), 'Healthcheck is not off');
  mustBe(isNothing(body['Labels']), 'it has labels');
  mustHaveItsConfig(candidate, body, ['Entrypoint', 'Cmd', 'Healthcheck']);
  const none = ['PortBindings', 'PublishAllPorts', 'AutoRemove'];
  for (const field of none) mustBe(isNothing(host[field]), `HostConfig.${field} is set`);
  mustHaveItsHostConfig(candidate, host, new Set([...none, 'RestartPolicy']));
}

const ENDPOINT = words('IPAMConfig Links Aliases DriverOpts GwPriority MacAddress');

/** Networks and what is requested of each: none but the container's own. */
export function mustHaveItsNetworks(container: ContainerInspect, endpoints: unknown, memory: Memory): void {
  const own = endpointsByAnyName(container);
  const macs = macAddressesOf(container, memory);
  for (const [network, endpoint] of Object.entries((endpoints ?? {}) as Record<string, unknown>)) {
    const has = own[network] ?? refuse(`it is not in the network ${network}`);
    const asked = onlyKeys(`the endpoint in ${network}`, endpoint, ENDPOINT);
    for (const [field, value] of Object.entries(asked)) {
      const expected = field === 'MacAddress' ? macs[network] : has[field];
      const same = isNothing(value) || isSameInAnyOrder(value, expected);
      mustBe(same, `${field} in the network ${network} is not that of the container it replaces`);
    }
  }
}

/** Those that a container has, or had when it was stopped, by network. */
function macAddressesOf(container: ContainerInspect, { macs }: Pick<Memory, 'macs'>): MacAddresses {
  return { ...macs.get(container.Id), ...shownMacs(container) };
}

/** Remembers the addresses of a container that is about to be stopped. */
export function rememberMacs({ macs }: Pick<Memory, 'macs'>, container: ContainerInspect): void {
  const shown = shownMacs(container);
  if (Object.keys(shown).length === 0) return;
  macs.set(container.Id, shown);
  remember(macs);
}

function shownMacs(container: ContainerInspect): MacAddresses {
  return Object.fromEntries(
    Object.entries(endpointsByAnyName(container)).flatMap(([network, { MacAddress }]) =>
      MacAddress ? [[network, MacAddress]] : [],
    ),
  );
}
