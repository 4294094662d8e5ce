import type {
  ContainerConfig,
  ContainerInspect,
  EndpointSettings,
  ImageConfig,
  ImageInspect,
  Mount,
} from '../engine-inspect';
import { isContainerMode } from '../network/shared-network';
import { composeImage, linkRequest, ownHostname } from './create-request';
import { cleanFolder, isOfPodman, ownConfig, type OwnConfig, withoutMadeHostname } from './own-config';
import { bindDestination, cleanPath, newVolumes } from './own-mounts';
import { ownEndpoints } from './own-networks';

/** One difference, as text. Values of environment and labels are not shown: they may be secret. */
export interface Difference {
  field: string;
  before: string;
  after: string;
}

/** Differences that the images may cause. */
export interface ComparedImages {
  oldImage: ImageInspect;
  newImage: ImageInspect;
  /** Labels that the update itself sets, as given to `createRequest`. */
  labels?: Record<string, string>;
  /** A folder on a mount of its own; the new image may declare a volume above it, which holds nothing else. */
  within?: string;
}

/**
 * What differs between a container and its replacement, which is created but not started yet: mounts, networks, ports and
 * every other setting of the operator. A change by the new image is not a difference, except a volume that it newly
 * declares elsewhere than above `within`. Pure; empty: they are the same.
 */
export function differences(before: ContainerInspect, after: ContainerInspect, images: ComparedImages): Difference[] {
  return [
    ...unequal(expectedConfig(withoutMadeHostname(before), images), actualConfig(withoutMadeHostname(after))).map(
      withoutSecrets,
    ),
    ...unequal(mountFacts(before), withoutDeclaredAbove(mountFacts(after), before, images)),
    ...unequal(networkFacts(before), networkFacts(after)),
    ...unequal(hostFacts(before), hostFacts(withoutLogOptionsOfEngine(after, before))),
  ];
}

function unequal(before: ComparableFields, after: ComparableFields): Difference[] {
  const fields = [...new Set([...before.keys(), ...after.keys()])].sort();
  return fields
    .map((field) => ({ field, before: before.get(field) ?? 'none', after: after.get(field) ?? 'none' }))
    .filter((found) => found.before !== found.after);
}

function withoutSecrets({ field, before, after }: Difference): Difference {
  if (!field.startsWith('Env ') && !field.startsWith('Labels ')) return { field, before, after };
  const both = before !== 'none' && after !== 'none';
  return { field, before: hidden(before, 'one value', both), after: hidden(after, 'another value', both) };
}

function hidden(value: string, instead: string, both: boolean): string {
  if (value === 'none') return 'none';
  return both ? instead : 'a value';
}

function mountFacts({ Mounts }: ContainerInspect): ComparableFields {
  return new Map(Mounts.map((mount) => [`Mounts ${cleanPath(mount.Destination)}`, mountText(mount)]));
}

function withoutDeclaredAbove(
  facts: ComparableFields,
  before: ContainerInspect,
  { newImage, within }: ComparedImages,
): ComparableFields {
  const different = newVolumes(before, newImage, within);
  for (const path of newVolumes(before, newImage)) if (!different.includes(path)) facts.delete(`Mounts ${path}`);
  return facts;
}

function mountText({ Type, Name, Source, RW, Propagation }: Mount): string {
  const from = Type === 'volume' ? (Name ?? Source) : Source;
  return [Type, from, RW ? 'writable' : 'read-only', Propagation ?? ''].filter(Boolean).join(' ');
}

/** Podman shows the MAC address of a container only while it runs. It is requested, and cannot be compared before the start. */
function networkFacts(container: ContainerInspect): ComparableFields {
  const own = Object.entries(ownEndpoints(container));
  const shown = (endpoint: EndpointSettings): EndpointSettings =>
    isOfPodman(container) ? { ...endpoint, MacAddress: '' } : endpoint;
  return new Map(own.map(([network, endpoint]) => [`Networks ${network}`, normalise(shown(endpoint)) ?? 'joined']));
}

interface Images {
  oldImage: ImageInspect;
  newImage: ImageInspect;
  labels?: Record<string, string>;
}

/** What the new container's config must be: the operator's own settings, filled in from the new image as the engine does. */
function expectedConfig(container: ContainerInspect, images: Images): ComparableFields {
  const own = ownConfig(container.Config, images.oldImage.Config);
  const image = images.newImage.Config ?? {};
  const composes = composeImage({ container, ...images, reference: '' });
  return configFacts(container, {
    ...own,
    ...expectedCommand(own, image),
    User: own.User ?? image.User,
    WorkingDir: own.WorkingDir ?? image.WorkingDir,
    StopSignal: own.StopSignal ?? image.StopSignal,
    Env: [...(image.Env ?? []), ...(own.Env ?? [])],
    Labels: { ...image.Labels, ...own.Labels, ...composes, ...images.labels },
    Volumes: { ...image.Volumes, ...own.Volumes },
    ExposedPorts: { ...image.ExposedPorts, ...own.ExposedPorts, ...published(container) },
    Healthcheck: { ...image.Healthcheck, ...own.Healthcheck },
  });
}

/** What the new container's config is. */
function actualConfig(container: ContainerInspect): ComparableFields {
  return configFacts(container, container.Config);
}

function configFacts(container: ContainerInspect, config: Partial<ContainerConfig>): ComparableFields {
  const shared = isContainerMode(container.HostConfig.NetworkMode);
  const fields = factsOf({
    Hostname: ownHostname(container).Hostname,
    Domainname: shared ? undefined : normalise(config.Domainname),
    MacAddress: normalise(container.Config.MacAddress),
    User: normalise(config.User),
    WorkingDir: cleanFolder(config.WorkingDir),
    StopSignal: normalise(config.StopSignal),
    StopTimeout: config.StopTimeout?.toString(),
    Entrypoint: normaliseOrdered(config.Entrypoint),
    Cmd: normaliseOrdered(config.Cmd),
    Shell: normaliseOrdered(config.Shell),
    NetworkDisabled: normalise(config.NetworkDisabled),
    Tty: normalise(config.Tty),
    OpenStdin: normalise(config.OpenStdin),
    StdinOnce: normalise(config.StdinOnce),
    // Podman lists none of them; what is mounted is compared in any case.
    Volumes: isOfPodman(container) ? undefined : normalise(Object.keys(config.Volumes ?? {})),
    ExposedPorts: shared ? undefined : normalise(Object.keys(config.ExposedPorts ?? {})),
    ...healthcheckFields(config),
  });
  return new Map([...fields, ...environment(config.Env), ...named('Labels', config.Labels ?? {})]);
}

function expectedCommand(own: OwnConfig, image: ImageConfig): Pick<ContainerConfig, 'Entrypoint' | 'Cmd'> {
  if (!own.Entrypoint) return { Entrypoint: image.Entrypoint, Cmd: own.Cmd ?? image.Cmd };
  return { Entrypoint: own.Entrypoint[0] === '' ? [] : own.Entrypoint, Cmd: own.Cmd ?? [] };
}

function published({ Config, HostConfig }: ContainerInspect): Record<string, object> {
  const bound = Object.keys(HostConfig.PortBindings ?? {}).filter((port) => port in (Config.ExposedPorts ?? {}));
  return Object.fromEntries(bound.map((port) => [port, {}]));
}

function healthcheckFields({ Healthcheck }: Partial<ContainerConfig>): Record<string, string | undefined> {
  const { Test, ...times } = Healthcheck ?? {};
  const fields = Object.entries(times).map(([field, value]) => [`Healthcheck ${field}`, normalise(value)] as const);
  return { 'Healthcheck Test': normaliseOrdered(Test), ...Object.fromEntries(fields) };
}

/** Of two lines for one variable the last wins, as in the engine. */
function environment(lines: string[] | null | undefined): ComparableFields {
  const split = (line: string): [string, string] => {
    const at = line.indexOf('=');
    return at < 0 ? [line, '(unset)'] : [line.slice(0, at), line.slice(at + 1)];
  };
  return named('Env', Object.fromEntries((lines ?? []).map(split)));
}

function named(field: string, values: Record<string, string>): ComparableFields {
  return new Map(Object.entries(values).map(([name, value]) => [`${field} ${name}`, value]));
}

/** `Binds` and `Mounts` that carry a volume are compared as mounts; here only their other options. */
function hostFacts(container: ContainerInspect): ComparableFields {
  const { Binds, Mounts, Links, NetworkMode, ...rest } = container.HostConfig;
  const all: Record<string, unknown> = {
    ...rest,
    NetworkMode: NetworkMode === 'bridge' ? 'default' : NetworkMode,
    Links: (Links ?? []).map(linkRequest),
    Binds: (Binds ?? []).map((bind) => bindText(bind, container)),
    Mounts: (Mounts ?? []).map((mount) => (mount.Type === 'volume' ? { ...mount, Source: '' } : mount)),
  };
  return factsOf(
    Object.fromEntries(Object.entries(all).map(([field, value]) => [`HostConfig ${field}`, normalise(value)])),
  );
}

/** The engine adds the `log-opts` of its `daemon.json` at the create, if the driver is that of `daemon.json`. */
function withoutLogOptionsOfEngine(after: ContainerInspect, before: ContainerInspect): ContainerInspect {
  const [was, is] = [before.HostConfig.LogConfig, after.HostConfig.LogConfig];
  if (!is || was?.Type !== is.Type) return after;
  const requested = Object.entries(is.Config ?? {}).filter(([option]) => option in (was?.Config ?? {}));
  const LogConfig = { ...is, Config: Object.fromEntries(requested) };
  return { ...after, HostConfig: { ...after.HostConfig, LogConfig } };
}

/** A volume's bind without options says no more than its mount does: the same whether requested or declared. */
function bindText(bind: string, { Mounts }: ContainerInspect): string {
  const destination = bindDestination(bind);
  const isVolume = Mounts.some((mount) => mount.Type === 'volume' && cleanPath(mount.Destination) === destination);
  if (!isVolume) return bind;
  const options = (bind.split(':')[2] ?? '').split(',').filter((option) => !['', 'rw', 'ro', 'z'].includes(option));
  return options.length === 0 ? '' : `${destination} ${options.sort().join(',')}`;
}

/** What is compared: a field's name with its value as text. A field at its default is not there. */
type ComparableFields = Map<string, string>;

/**
 * A value of the engine's JSON as text, the same for all its ways to say the same: null, empty and zero are nothing,
 * keys have no order, and lists of names are sets. Undefined: nothing is set.
 */
export function normalise(value: unknown): string | undefined {
  const bare = withoutEmpty(value);
  if (bare === undefined) return undefined;
  return typeof bare === 'string' ? bare : JSON.stringify(bare);
}

/** As `normalise`, for a list whose order matters, such as a command. */
function normaliseOrdered(list: string[] | null | undefined): string | undefined {
  return list && list.length > 0 ? JSON.stringify(list) : undefined;
}

/** Those of a flat list of fields; what is undefined is left out. */
function factsOf(fields: Record<string, string | undefined>): ComparableFields {
  return new Map(Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined));
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return listOrNothing(value.map(withoutEmpty).filter((item) => item !== undefined));
  if (value !== null && typeof value === 'object') return objectOrNothing(value);
  return value === null || value === '' || value === 0 || value === false ? undefined : value;
}

function listOrNothing(list: unknown[]): unknown[] | undefined {
  const sorted = list
    .map((item) => [JSON.stringify(item), item] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.length === 0 ? undefined : sorted.map(([, item]) => item);
}

function objectOrNothing(value: object): object | undefined {
  const entries = Object.entries(value)
    .map(([key, field]) => [key, withoutEmpty(field)] as const)
    .filter(([, field]) => field !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
