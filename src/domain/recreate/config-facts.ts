import type { ContainerConfig, ContainerInspect, ImageConfig, ImageInspect } from '../engine-inspect';
import { isContainerMode } from '../network/network-owner';
import { composeImage, ownHostname } from './create-request';
import { factsOf, normalise, normaliseOrdered, type ComparableFields } from './facts';
import { ownConfig, type OwnConfig } from './own-config';

interface Images {
  oldImage: ImageInspect;
  newImage: ImageInspect;
  labels?: Record<string, string>;
}

/** What the new container's config must be: the operator's own settings, filled in from the new image as the engine does. */
export function expectedConfig(container: ContainerInspect, images: Images): ComparableFields {
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
export function actualConfig(container: ContainerInspect): ComparableFields {
  return configFacts(container, container.Config);
}

function configFacts(container: ContainerInspect, config: Partial<ContainerConfig>): ComparableFields {
  const shared = isContainerMode(container.HostConfig.NetworkMode);
  const fields = factsOf({
    Hostname: ownHostname(container).Hostname,
    Domainname: shared ? undefined : normalise(config.Domainname),
    MacAddress: normalise(container.Config.MacAddress),
    User: normalise(config.User),
    WorkingDir: normalise(config.WorkingDir),
    StopSignal: normalise(config.StopSignal),
    StopTimeout: config.StopTimeout?.toString(),
    Entrypoint: normaliseOrdered(config.Entrypoint),
    Cmd: normaliseOrdered(config.Cmd),
    Shell: normaliseOrdered(config.Shell),
    NetworkDisabled: normalise(config.NetworkDisabled),
    Tty: normalise(config.Tty),
    OpenStdin: normalise(config.OpenStdin),
    StdinOnce: normalise(config.StdinOnce),
    Volumes: normalise(Object.keys(config.Volumes ?? {})),
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
