import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerInspect, ImageInspect } from '../../../../src/domain/engine-inspect';
import { differences } from '../../../../src/domain/recreate/compare-containers';
import { createRequest } from '../../../../src/domain/recreate/create-request';
import { isOfPodman } from '../../../../src/domain/recreate/own-config';
import { recordedContainer } from '../../../support/recorded-inspect';

// As Podman 5.4.2 gave it: the lab's app in two networks, with a volume and a published port; and its replacement, before its start.
const FOLDER = join(__dirname, '../../../fixtures/podman');
const read = (name: string): unknown => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
const running = (): ContainerInspect => read('running') as ContainerInspect;
const created = (): ContainerInspect => read('created') as ContainerInspect;
const image = read('image') as ImageInspect;

const request = () =>
  createRequest({ container: running(), oldImage: image, newImage: image, reference: '127.0.0.1:5016/app:1' });

const found = (after: ContainerInspect): string[] =>
  differences(running(), after, { oldImage: image, newImage: image }).map(({ field }) => field);

test('a container of Podman is known by its mark, and one of Docker is not', () => {
  expect(isOfPodman(running())).toBe(true);
  expect(isOfPodman(recordedContainer('two-networks'))).toBe(false);
});

test('all networks go with the request: Podman says bridge for each of them, and would join its own', () => {
  const { body, connect } = request();
  expect(body.HostConfig.NetworkMode).toBe('bridge');
  expect(Object.keys(body.NetworkingConfig.EndpointsConfig).sort()).toEqual(['shop_default', 'shop_front']);
  expect(body.NetworkingConfig.EndpointsConfig['shop_front']).toMatchObject({ Aliases: ['shopfront'] });
  expect(connect).toEqual([]);
});

test('the variable with the short id of the old container is not carried, and others are', () => {
  const { Env = [] } = request().body;
  expect(Env?.filter((line) => line.startsWith('HOSTNAME='))).toEqual([]);
  expect(Env).toContain('APP_DB_HOST=db');
});

test('a hostname of the operator stays a variable of the container', () => {
  const container = running();
  container.Config.Env = [...(container.Config.Env ?? []), 'HOSTNAME=elsewhere'];
  const { Env } = createRequest({ container, oldImage: image, newImage: image, reference: 'app:1' }).body;
  expect(Env).toContain('HOSTNAME=elsewhere');
});

test('a MAC address is requested again, since nobody can say whose it was', () => {
  const endpoints = request().body.NetworkingConfig.EndpointsConfig;
  for (const { MacAddress } of Object.values(endpoints)) expect(MacAddress).toMatch(/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/);
});

test('the replacement is the same, though Podman shows no MAC address and no declared volumes before the start', () => {
  expect(found(created())).toEqual([]);
});

test.each<[string, (after: ContainerInspect) => unknown, string]>([
  ['joins another network', (after) => (after.NetworkSettings.Networks['podman'] = {}), 'Networks podman'],
  ['misses a network', (after) => delete after.NetworkSettings.Networks['shop_front'], 'Networks shop_front'],
  ['misses its volume', (after) => (after.Mounts = []), 'Mounts /data'],
  ['has another volume', (after) => Object.assign(after.Mounts[0] ?? {}, { Name: 'other' }), 'Mounts /data'],
  ['is privileged', (after) => (after.HostConfig['Privileged'] = true), 'HostConfig Privileged'],
  ['has another variable', (after) => after.Config.Env?.push('MORE=1'), 'Env MORE'],
])('one that %s is still refused', (_, change, field) => {
  const after = created();
  change(after);
  expect(found(after)).toContain(field);
});
