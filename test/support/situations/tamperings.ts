import type { CreateRequest } from '../../../src/domain/engine-inspect';

type Body = CreateRequest['body'];

/** A request that is not the operator's container any more, and the field that must be told of. */
export interface Tampering {
  field: string;
  tamper: (request: CreateRequest) => void;
}

const host = (field: string, value: unknown): Tampering => ({
  field: `HostConfig ${field}`,
  tamper: ({ body }) => void (body.HostConfig[field] = value),
});

const config = (field: string, change: Partial<Body>): Tampering => ({
  field,
  tamper: ({ body }) => void Object.assign(body, change),
});

/** For a container run with everything (`situations`), in networks FRONT and BACK, with volumes. */
export function tamperings(): Tampering[] {
  return [
    host('Privileged', true),
    host('CapAdd', ['NET_ADMIN', 'SYS_ADMIN']),
    host('CapDrop', null),
    host('Devices', []),
    host('PidMode', 'host'),
    host('IpcMode', 'host'),
    host('SecurityOpt', null),
    host('ReadonlyRootfs', true),
    host('GroupAdd', ['0']),
    host('Sysctls', { 'net.core.somaxconn': '1024' }),
    host('CgroupnsMode', 'private'),
    host('UsernsMode', 'host'),
    host('RestartPolicy', { Name: 'always', MaximumRetryCount: 0 }),
    host('Ulimits', [{ Name: 'nofile', Soft: 1000, Hard: 4000 }]),
    host('PortBindings', { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '45080' }] }),
    host('Memory', 32 * 1024 * 1024),
    host('ExtraHosts', []),
    host('Dns', ['10.0.0.54']),
    host('MaskedPaths', []),
    host('AutoRemove', true),
    host('Tmpfs', null),
    config('Hostname', { Hostname: 'another-host' }),
    config('Env OWN', { Env: [] }),
    config('Env REMOVED', { Env: ['OWN=1', 'KEPT=mine', 'EMPTY=', 'REMOVED=yes'] }),
    config('Labels own', { Labels: { release: 'mine' } }),
    config('User', { User: '1000' }),
    config('WorkingDir', { WorkingDir: '/elsewhere' }),
    config('StopTimeout', { StopTimeout: 60 }),
    config('StopSignal', { StopSignal: 'SIGKILL' }),
    config('Cmd', { Cmd: ['sleep', '1'] }),
    config('Entrypoint', { Entrypoint: ['/bin/sh'] }),
    config('Healthcheck Test', { Healthcheck: { Test: ['NONE'] } }),
    config('ExposedPorts', { ExposedPorts: { '1/tcp': {} } }),
    config('Volumes', { Volumes: { '/declared-anew': {} } }),
  ].map((tampering) => withoutAutoRemoveConflict(tampering));
}

/** What changes the mounts: dropping the volume that the image declares, another source, another mode. */
export const MOUNT_TAMPERINGS: Tampering[] = [
  mountTampering('/cache', (binds) => binds.filter((bind) => !bind.includes(':/cache'))),
  mountTampering('/anonymous', (binds) => binds.filter((bind) => !bind.includes(':/anonymous'))),
  mountTampering('/data', (binds) => binds.map((bind) => (bind.includes(':/data') ? `${bind}:ro` : bind))),
  mountTampering('/bound', (binds) => binds.map((bind) => bind.replace('/etc/hostname:', '/etc/hosts:'))),
  mountTampering('/extra', (binds) => [...binds, '/etc:/extra:ro']),
];

/** What changes the networks of a container in two of them with aliases and static addresses. */
export function networkTamperings(front: string, back: string): Tampering[] {
  const first = (request: CreateRequest): Record<string, unknown> =>
    request.body.NetworkingConfig.EndpointsConfig[front] as Record<string, unknown>;
  return [
    { field: `Networks ${back}`, tamper: (request) => void (request.connect = []) },
    { field: `Networks ${front}`, tamper: (request) => void (first(request)['Aliases'] = ['web']) },
    { field: `Networks ${front}`, tamper: (request) => void delete first(request)['IPAMConfig'] },
    { field: `Networks ${front}`, tamper: (request) => void (first(request)['MacAddress'] = '02:00:00:00:00:01') },
    { field: 'Networks bridge', tamper: (request) => void request.connect.push({ network: 'bridge', endpoint: {} }) },
  ];
}

function mountTampering(path: string, change: (binds: string[]) => string[]): Tampering {
  return {
    field: `Mounts ${path}`,
    tamper: ({ body }) => void (body.HostConfig.Binds = change(body.HostConfig.Binds ?? [])),
  };
}

/** The engine takes AutoRemove only without a restart policy. */
function withoutAutoRemoveConflict(tampering: Tampering): Tampering {
  if (tampering.field !== 'HostConfig AutoRemove') return tampering;
  return {
    field: tampering.field,
    tamper: (request) => {
      tampering.tamper(request);
      request.body.HostConfig['RestartPolicy'] = { Name: 'no' };
    },
  };
}
