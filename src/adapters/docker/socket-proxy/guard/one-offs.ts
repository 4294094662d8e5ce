import type { ContainerInspect, ImageInspect } from '../../../../domain/engine-inspect';
import { createRequest } from '../../../../domain/recreate/create-request';
import { cleanPath } from '../../../../domain/recreate/own-mounts';
import {
  hasReason,
  isOfRepository,
  isWatched,
  type Known,
  type Memory,
  mustBeItsImage,
  readName,
  repositoryNamed,
  type Role,
  type Sight,
} from './family';
import { powerOf } from './power';
import { type Body, isNothing, isSameJson, mustBe, onlyKeys, refuse, words } from './strict';
import { isClusterScript, isHelperScript } from './scripts';

/** One request for a one-off, with all that it is compared with. */
export interface OneOff {
  role: Role;
  body: Body;
  host: Body;
  image: ImageInspect;
  family: Known[];
  sight: Sight;
  memory: Memory;
}

/** What a field of `HostConfig` may be. A field without a rule must be left out, or say nothing. */
type Rules = Record<string, (value: unknown, oneOff: OneOff) => boolean | Promise<boolean>>;

const is =
  (wanted: unknown) =>
  (value: unknown): boolean =>
    isNothing(wanted) ? isNothing(value) : isSameJson(value, wanted);
const among =
  (...allowed: string[]) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every((one) => allowed.includes(String(one)));
const isNumber = (value: unknown): boolean => value === undefined || typeof value === 'number';
/** Fields that limit a container. */
const LIMITS = Object.fromEntries(
  ['Memory', 'MemorySwap', 'NanoCpus', 'CpuQuota', 'CpuPeriod', 'CpuShares', 'PidsLimit', 'ShmSize'].map((field) => [
    field,
    isNumber,
  ]),
);

/** A server for a drill and a script that becomes another user need the first, moving files the second. */
const SERVER_CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'];
const MOVING_CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETFCAP'];
const CONFINED: Rules = {
  NetworkMode: is('none'),
  RestartPolicy: is({ Name: 'no' }),
  CapDrop: is(['ALL']),
  SecurityOpt: is(['no-new-privileges']),
  Tmpfs: () => true,
};

/** No folder, no network, no privilege: whatever runs in it, and on whatever image, reaches nothing. */
const DRILL: Rules = { ...CONFINED, ...LIMITS, CapAdd: among(...SERVER_CAPABILITIES) };

const HOLDER: Rules = {
  NetworkMode: is('none'),
  RestartPolicy: is({ Name: 'no' }),
  Tmpfs: () => true,
  UsernsMode: (mode, { family }) => family.some(({ container }) => is(container.HostConfig['UsernsMode'])(mode)),
};

const RESTORE: Rules = {
  ...CONFINED,
  CapAdd: (capabilities, { body }) =>
    among(...(isClusterScript(scriptOf(body)) ? SERVER_CAPABILITIES : MOVING_CAPABILITIES))(capabilities),
  Binds: (binds, { family }) => family.some(({ container }) => areItsBinds(binds, container)),
  Mounts: (mounts, { family }) => family.some(({ container }) => areItsMounts(mounts, container)),
};

/** It is never started, and holds the mounts of a service whose tasks are gone. */
const READER: Rules = { ...RESTORE, CapAdd: (value) => isNothing(value) };

/** The network of a rehearsal is loopback only, of the first container of it. */
const SANDBOX: Rules = {
  ...LIMITS,
  NetworkMode: (mode, { memory }) => mode === 'none' || isOwnRehearsal(mode, memory),
  RestartPolicy: is({ Name: 'no' }),
  LogConfig: is({ Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '1' } }),
  ExtraHosts: (hosts) =>
    Array.isArray(hosts) && hosts.every((host) => /^[\w.-]+:127\.0\.0\.\d{1,3}$/.test(String(host))),
};
const REHEARSED_SERVER: Rules = { ...DRILL, ...SANDBOX };

/** Carried from production as they are (domain/rehearsal/trial-request). */
const CARRIED = [
  ...['CapAdd', 'CapDrop', 'GroupAdd', 'Init', 'MaskedPaths', 'ReadonlyPaths', 'SecurityOpt', 'Ulimits', 'Runtime'],
  ...['OomScoreAdj', 'CpusetCpus', 'IpcMode', 'Tmpfs'],
];

/** One-offs by role: the first shape that fits passes. */
const SHAPES: { [Of in Role]?: ((oneOff: OneOff) => Promise<void>)[] } = {
  drill: [(oneOff) => mustFit('drill', DRILL, oneOff)],
  kept: [mustHoldOnly],
  backup: [mustReadOnly],
  restore: [mustMoveOnly],
  rehearsal: [(oneOff) => mustFit('rehearsed server', REHEARSED_SERVER, oneOff), mustBeTrial],
};

/** Throws `Refused`, with the reason against the last shape. */
export async function mustMatchShape(oneOff: OneOff): Promise<void> {
  const shapes = SHAPES[oneOff.role] ?? refuse(`diun-pilot creates no container of the role ${oneOff.role}`);
  mustGiveNoReason(oneOff.body['Labels']);
  const networking = onlyKeys('NetworkingConfig', oneOff.body['NetworkingConfig'], words('EndpointsConfig'));
  mustBe(isNothing(networking['EndpointsConfig']), 'it joins a network');
  mustBe(isNothing(oneOff.body['Volumes']), 'it declares volumes');
  let last: unknown = null;
  for (const shape of shapes) {
    try {
      return await shape(oneOff);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/**
 * A label opens a container to commands of diun-pilot, and to those of every other tool that holds the socket and reads its orders
 * from labels (a scheduler, a proxy): a one-off has diun-pilot's own, and empties those of its image.
 */
function mustGiveNoReason(labels: unknown): void {
  for (const [name, value] of Object.entries((labels ?? {}) as Record<string, unknown>)) {
    const isOwn = name === 'diun-pilot.rehearsal' || (name === 'diun.enable' && value === 'false');
    mustBe(isOwn || value === '', `a one-off has the label ${name}`);
  }
}

async function mustFit(what: string, rules: Rules, oneOff: OneOff, needed = ['CapDrop', 'SecurityOpt']): Promise<void> {
  for (const field of new Set([...Object.keys(oneOff.host), 'NetworkMode'])) {
    const value = oneOff.host[field];
    if (field !== 'NetworkMode' && isNothing(value)) continue;
    const rule = rules[field];
    mustBe(rule !== undefined && (await rule(value, oneOff)), `HostConfig.${field} is not that of a ${what}`);
  }
  for (const field of needed) mustBe(!isNothing(oneOff.host[field]), `HostConfig.${field} is missing`);
}

function isOwnRehearsal(mode: unknown, { created }: Memory): boolean {
  return typeof mode === 'string' && created.get(mode.replace(/^container:/, ''))?.role === 'rehearsal';
}

/** It holds files, and never starts anything but `true`. */
async function mustHoldOnly(oneOff: OneOff): Promise<void> {
  const { body } = oneOff;
  mustBe(isSameJson(body['Entrypoint'], ['true']), 'Entrypoint is not true');
  mustBe(isNothing(body['Cmd']), 'Cmd is set');
  await mustFit('container that holds files', HOLDER, oneOff, []);
}

/** A script of diun-pilot's own, on an image that the operator runs, with mounts of one container. */
async function mustMoveOnly(oneOff: OneOff): Promise<void> {
  const { body, family, image, sight } = oneOff;
  const [flag, , name] = Array.isArray(body['Cmd']) ? (body['Cmd'] as unknown[]) : [];
  mustBe(isSameJson(body['Entrypoint'], ['/bin/sh']), 'Entrypoint is not /bin/sh');
  mustBe(flag === '-c' && name === 'sh' && isHelperScript(scriptOf(body)), 'its script is not one of diun-pilot');
  mustBe(isSameJson(body['Env'], ['LC_ALL=C']), 'Env is not that of a restore helper');
  mustBe(isSameJson(body['Healthcheck'], { Test: ['NONE'] }), 'Healthcheck is not off');
  await mustFit('restore helper', RESTORE, oneOff);
  await mustMayMount(oneOff);
  const isItsNext = family.some((known) => isOf(known, image));
  mustBe(isItsNext || (await isOperators(sight, image)), 'its image is that of no container of the operator');
}

function scriptOf(body: Body): unknown {
  return Array.isArray(body['Cmd']) ? (body['Cmd'] as unknown[])[1] : undefined;
}

/** The image that the container runs, or another one of its repository, to which it is updated. */
function isOf({ container, image: own }: Known, image: ImageInspect): boolean {
  const repository = repositoryNamed(container.Config.Image);
  return image.Id === own.Id || (repository !== null && isOfRepository(image, repository));
}

/** The mounts of a service, through which its files are read while it is scaled to 0. */
async function mustReadOnly(oneOff: OneOff): Promise<void> {
  const { body, family, image } = oneOff;
  mustBe(isSameJson(body['Entrypoint'], ['true']), 'Entrypoint is not true');
  mustBe(isNothing(body['Cmd']), 'Cmd is set');
  mustBe(isSameJson(body['Env'], ['LC_ALL=C']), 'Env is not that of a container for a backup');
  await mustFit('container for a backup', READER, oneOff);
  await mustMayMount(oneOff);
  mustBe(
    family.some((known) => known.image.Id === image.Id),
    'its image is not that of the service',
  );
}

/** What was created through this guard for a backup had its reason then; the service has no task now that could give one. */
async function mustMayMount({ host, family, sight, memory }: OneOff): Promise<void> {
  if (isNothing(host['Binds']) && isNothing(host['Mounts'])) return;
  for (const known of family) {
    const { Id, Name } = known.container;
    const name = Name.slice(1);
    const open = memory.created.get(Id)?.role === 'backup' || (await hasReason(known, sight));
    mustBe(open, `${name} has no label that opens it to a restore`);
    const power = await powerOf(known.container, sight);
    mustBe(power === null, `${name} can be root on its host (${power?.why}): restore it with the socket itself`);
  }
}

async function isOperators(sight: Sight, image: ImageInspect): Promise<boolean> {
  for (const { id, names } of await sight.containers()) {
    if (!names.some((name) => readName(name).role === 'plain')) continue;
    if ((await sight.container(id))?.Image === image.Id) return true;
  }
  return false;
}

/** The container's own configuration on a copy of its data: no mount but empty volumes and what it can only read. */
async function mustBeTrial(oneOff: OneOff): Promise<void> {
  const { family, body, image } = oneOff;
  const known =
    family.find(isWatched) ?? refuse('there is no container with the label diun.enable=true to be rehearsed');
  const power = await powerOf(known.container, oneOff.sight);
  mustBe(power === null, `${known.container.Name.slice(1)} can be root on its host (${power?.why})`);
  mustBeItsImage(known, image);
  const { HostConfig: host } = known.container;
  const expected = createRequest({
    container: known.container,
    oldImage: known.image,
    newImage: image,
    reference: image.Id,
  }).body;
  for (const field of ['Cmd', 'Entrypoint', 'Env', 'User', 'WorkingDir', 'Healthcheck', 'Shell', 'StopSignal'] as const)
    mustBe(isSameJson(body[field], expected[field]), `${field} is not that of the rehearsed container`);
  const carried = Object.fromEntries(CARRIED.map((field) => [field, is(host[field])]));
  const rules: Rules = { ...SANDBOX, ...carried, Mounts: (mounts) => areTrialMounts(mounts, known.container) };
  await mustFit('rehearsal', rules, oneOff, []);
  for (const field of ['CapDrop', 'SecurityOpt', 'MaskedPaths', 'ReadonlyPaths'])
    mustBe(is(host[field])(oneOff.host[field]), `HostConfig.${field} is not that of the rehearsed container`);
}

function areTrialMounts(mounts: unknown, { Mounts, HostConfig }: ContainerInspect): boolean {
  const inMemory = (HostConfig.Mounts ?? []).filter(({ Type }) => Type === 'tmpfs');
  return listOf(mounts).every((mount) => {
    if (mount['Type'] === 'tmpfs') return inMemory.some((own) => isSameJson(own, mount));
    const keys = Object.keys(mount).sort().join(' ');
    if (mount['Type'] === 'volume') return keys === 'Target Type';
    const isRead = (one: ContainerInspect['Mounts'][number]): boolean =>
      one.Type === 'bind' && one.Source === mount['Source'] && cleanPath(one.Destination) === mount['Target'];
    return (
      mount['Type'] === 'bind' &&
      mount['ReadOnly'] === true &&
      keys === 'ReadOnly Source Target Type' &&
      Mounts.some(isRead)
    );
  });
}

/** As `SOURCE:TARGET[:ro|nocopy]`, exactly as they are mounted. */
function areItsBinds(binds: unknown, { Mounts }: ContainerInspect): boolean {
  return listOfTexts(binds).every((bind) => {
    const match = /^([^:]+):([^:]+)(?::([a-z,]+))?$/.exec(bind);
    if (match === null) return false;
    const options = (match[3] ?? '').split(',').filter(Boolean);
    return Mounts.some(({ Type, Name, Source, Destination, RW }) => {
      const from = Type === 'volume' ? (Name ?? Source) : Source;
      const known = options.every((option) => option === 'ro' || option === 'nocopy');
      return (
        known &&
        ['bind', 'volume'].includes(Type) &&
        from === match[1] &&
        Destination === match[2] &&
        (RW || options.includes('ro'))
      );
    });
  });
}

function areItsMounts(mounts: unknown, { HostConfig }: ContainerInspect): boolean {
  const own = (HostConfig.Mounts ?? []).map((mount) => ({
    ...mount,
    VolumeOptions: { ...(mount['VolumeOptions'] as object), NoCopy: true },
  }));
  return listOf(mounts).every((mount) => own.some((one) => isSameJson(one, mount)));
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? (value as Record<string, unknown>[]) : [];
}

function listOfTexts(value: unknown): string[] {
  return listOf(value).map(String);
}
