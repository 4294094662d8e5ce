import type { ContainerConfig, ContainerInspect, Healthcheck, ImageConfig, RestartPolicy } from '../engine-inspect';
import { cleanPath } from './own-mounts';

/** What the operator gave, without what merely came from the image: the part of `Config` that is carried over. */
export type OwnConfig = Partial<Omit<ContainerConfig, 'Image' | 'Labels'>> & { Labels: Record<string, string> };

/**
 * Takes the image's part out of a container's config. The engine merges an image into a create request (moby,
 * daemon/commit.go `merge`), so what equals the image's needs no carrying, and must not be: the new image may say otherwise.
 * An own value that happens to equal the image's cannot be distinguished from it and follows the image too.
 */
export function ownConfig(config: ContainerConfig, image: ImageConfig | null): OwnConfig {
  return dropUndefined({
    ...alwaysOwn(config),
    ...ownCommand(config, image),
    User: ownText(config.User, image?.User),
    WorkingDir: ownText(cleanFolder(config.WorkingDir), cleanFolder(image?.WorkingDir)),
    StopSignal: ownText(config.StopSignal, image?.StopSignal),
    Env: notIn(config.Env, image?.Env),
    Labels: carriedLabels(config.Labels, image?.Labels),
    Volumes: ownKeys(config.Volumes, image?.Volumes),
    ExposedPorts: ownKeys(config.ExposedPorts, image?.ExposedPorts),
    Healthcheck: ownHealthcheck(config.Healthcheck, image?.Healthcheck),
  });
}

/** Fields that the engine never takes from an image. */
function alwaysOwn(config: ContainerConfig): Partial<ContainerConfig> {
  return {
    Domainname: config.Domainname || undefined,
    StopTimeout: config.StopTimeout ?? undefined,
    Shell: nonEmpty(config.Shell),
    NetworkDisabled: config.NetworkDisabled || undefined,
    Tty: config.Tty,
    OpenStdin: config.OpenStdin,
    StdinOnce: config.StdinOnce,
    AttachStdin: config.AttachStdin,
    AttachStdout: config.AttachStdout,
    AttachStderr: config.AttachStderr,
  };
}

/**
 * Entrypoint and Cmd belong together: an own entrypoint resets the image's Cmd, so then Cmd is carried as it is, empty
 * or not. An entrypoint that the operator took away (`--entrypoint ""`) is requested as `[""]`.
 */
function ownCommand(config: ContainerConfig, image: ImageConfig | null): Pick<OwnConfig, 'Entrypoint' | 'Cmd'> {
  const cmd = config.Cmd ?? [];
  const cmdWasReset = cmd.length === 0 && (image?.Cmd ?? []).length > 0;
  if (sameList(config.Entrypoint, image?.Entrypoint) && !cmdWasReset) {
    return sameList(cmd, image?.Cmd) ? {} : { Cmd: cmd };
  }
  const entrypoint = nonEmpty(config.Entrypoint) ?? [''];
  return cmd.length === 0 ? { Entrypoint: entrypoint } : { Entrypoint: entrypoint, Cmd: cmd };
}

/** As the engine stores the folder of a container: an image may have it with a trailing slash. Undefined: there is none. */
export function cleanFolder(folder: string | undefined): string | undefined {
  return folder ? cleanPath(folder) : undefined;
}

function ownText(value: string | undefined, images: string | undefined): string | undefined {
  return value && value !== images ? value : undefined;
}

function notIn(values: string[] | null | undefined, images: string[] | null | undefined): string[] | undefined {
  const inherited = new Set(images ?? []);
  return nonEmpty((values ?? []).filter((value) => !inherited.has(value)));
}

function carriedLabels(
  labels: Record<string, string> | null | undefined,
  images: Record<string, string> | null | undefined,
): Record<string, string> {
  return Object.fromEntries(Object.entries(labels ?? {}).filter(([name, value]) => images?.[name] !== value));
}

function ownKeys(
  keys: Record<string, object> | null | undefined,
  images: Record<string, object> | null | undefined,
): Record<string, object> | undefined {
  const own = Object.keys(keys ?? {}).filter((key) => !(key in (images ?? {})));
  return own.length === 0 ? undefined : Object.fromEntries(own.map((key) => [key, {}]));
}

/** Field by field, since the engine fills every field that a container leaves out. `["NONE"]` is an own test like any other. */
function ownHealthcheck(
  check: Healthcheck | null | undefined,
  image: Healthcheck | null | undefined,
): Healthcheck | undefined {
  const own: Healthcheck = dropUndefined({
    Test: sameList(check?.Test, image?.Test) ? undefined : nonEmpty(check?.Test),
    Interval: ownDuration(check?.Interval, image?.Interval),
    Timeout: ownDuration(check?.Timeout, image?.Timeout),
    StartPeriod: ownDuration(check?.StartPeriod, image?.StartPeriod),
    StartInterval: ownDuration(check?.StartInterval, image?.StartInterval),
    Retries: ownDuration(check?.Retries, image?.Retries),
  });
  return Object.keys(own).length === 0 ? undefined : own;
}

function ownDuration(value: number | undefined, images: number | undefined): number | undefined {
  return value && value !== images ? value : undefined;
}

function nonEmpty<T>(list: T[] | null | undefined): T[] | undefined {
  return list && list.length > 0 ? list : undefined;
}

function sameList(one: string[] | null | undefined, other: string[] | null | undefined): boolean {
  return JSON.stringify(one ?? []) === JSON.stringify(other ?? []);
}

function dropUndefined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** `KEY=value` entries as a map; a key without `=` has an empty value. The last entry wins, as in a process. */
export function environmentOf(entries: readonly string[] | null | undefined): Map<string, string> {
  return new Map(
    (entries ?? []).map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

/** Of a container that must not run. */
export const NEVER: RestartPolicy = { Name: 'no', MaximumRetryCount: 0 };

/** Whether the engine may start the container on its own. */
export function restarts(policy: RestartPolicy | null | undefined): policy is RestartPolicy {
  return policy !== null && policy !== undefined && policy.Name !== undefined && !['', 'no'].includes(policy.Name);
}

/** Whether the engine starts the container again after every exit: one that stays exited was stopped on request. */
export function restartsAlways(policy: RestartPolicy | null | undefined): boolean {
  return policy?.Name === 'always' || policy?.Name === 'unless-stopped';
}

const MANAGER = 'io.container.manager';

/** Podman marks its containers so. It shows some fields in another way than Docker (docs/podman.md). */
export function isOfPodman({ HostConfig }: Pick<ContainerInspect, 'HostConfig'>): boolean {
  return (HostConfig['Annotations'] as Record<string, unknown> | null | undefined)?.[MANAGER] === 'libpod';
}

/** Podman lists the variable that it makes of the hostname, which names the old container after its replacement. */
export function withoutMadeHostname(container: ContainerInspect): ContainerInspect {
  const { Config } = container;
  if (!isOfPodman(container)) return container;
  const made = `HOSTNAME=${Config.Hostname ?? ''}`;
  return { ...container, Config: { ...Config, Env: (Config.Env ?? []).filter((line) => line !== made) } };
}
