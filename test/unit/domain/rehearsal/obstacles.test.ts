import type { HostConfig, Mount } from '../../../../src/domain/engine-inspect';
import { obstacleTo } from '../../../../src/domain/rehearsal/obstacles';

const none: HostConfig = { NetworkMode: 'shop_default', AutoRemove: false };
const at = (Source: string, more: Partial<Mount> = {}): Mount => ({
  ...{ Type: 'bind', Source, Destination: '/x', Mode: '', RW: true },
  ...more,
});
const obstacle = (host: Record<string, unknown>, mounts: Mount[] = []): string | null =>
  obstacleTo({ HostConfig: { ...none, ...host }, Mounts: mounts });

it('finds none in an ordinary container', () => {
  const mounts = [at('/srv/media'), at('/var/lib/docker/volumes/a/_data', { Type: 'volume', Name: 'a' })];
  expect(
    obstacle({ CapAdd: ['NET_BIND_SERVICE', 'CAP_CHOWN'], SecurityOpt: ['no-new-privileges:true'] }, mounts),
  ).toBeNull();
  // The default of an engine with control groups of version 1.
  expect(obstacle({ CgroupnsMode: 'host' })).toBeNull();
  expect(obstacle({ Devices: [], DeviceRequests: null, PidMode: '', IpcMode: 'private', UTSMode: '' })).toBeNull();
});

test.each<[string, Record<string, unknown>]>([
  ['it is privileged', { Privileged: true }],
  ['it has the capability NET_ADMIN', { CapAdd: ['cap_net_admin'] }],
  ['it has the capability ALL', { CapAdd: ['ALL'] }],
  ['it runs with the security option seccomp=unconfined', { SecurityOpt: ['seccomp=unconfined'] }],
  ['it runs with the security option systempaths=unconfined', { SecurityOpt: ['systempaths=unconfined'] }],
  ['it uses a device of the host', { Devices: [{ PathOnHost: '/dev/dri' }] }],
  ['it uses a device of the host', { DeviceRequests: [{ Driver: 'nvidia' }] }],
  ['it uses the network of the host', { NetworkMode: 'host' }],
  ['it uses the processes of the host', { PidMode: 'host' }],
  ['it uses the shared memory of another container', { IpcMode: 'container:abc' }],
])('%s', (words, host) => expect(obstacle(host)).toBe(words));

test.each<[string, Mount]>([
  ['it mounts the socket /srv/app/app.sock', at('/srv/app/app.sock')],
  ['it mounts /var/run/docker.sock of the host', at('/var/run/docker.sock/')],
  ['it mounts / of the host', at('/')],
  ['it mounts /run/dbus of the host', at('/run/dbus', { RW: false })],
  ['/x is shared with the host', at('/mnt/a', { Propagation: 'rshared' })],
  ['/x is a mount of the type npipe', at('a', { Type: 'npipe' })],
])('%s (mount)', (words, mount) => {
  const socket = mount.Source === '/var/run/docker.sock/';
  expect(obstacle({}, [mount])).toBe(socket ? 'it mounts /var/run/docker.sock/ of the host' : words);
});
