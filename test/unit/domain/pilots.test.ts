import { otherPilots, type Pilot, pilotIn } from '../../../src/domain/container';
import { aContainer } from '../../support/container-builder';
import { recordedContainer } from '../../support/recorded-inspect';

const LABEL = { 'org.opencontainers.image.title': 'diun-pilot' };
const bare = recordedContainer('bare');

function seen(
  command: string[],
  { labels = LABEL, data = '/volumes/pilot' }: { labels?: Record<string, string>; data?: string | null } = {},
): Pilot | null {
  const mount = { Type: 'volume', Source: data ?? '', Destination: '/data', Mode: '', RW: true };
  return pilotIn({
    ...bare,
    Config: { ...bare.Config, Labels: labels, Entrypoint: ['node', '/app/dist/main.js'], Cmd: command },
    Mounts: data === null ? [] : [mount],
  });
}

test('a container of the image is known by its label, with the place of its data', () => {
  expect(seen([])).toMatchObject({ serves: true, data: '/volumes/pilot' });
  expect(seen(['serve'], { data: null })).toMatchObject({ serves: true, data: null });
  expect(seen(['check'])).toMatchObject({ serves: false, data: '/volumes/pilot' });
  expect(seen(['serve'], { labels: { ...LABEL, 'org.opencontainers.image.title': 'nginx' } })).toBeNull();
});

test('the proxy of the socket, of the same image, serves nothing', () => {
  const Config = { ...bare.Config, Labels: LABEL, Entrypoint: ['node', '/app/dist/socket-proxy.js'], Cmd: [] };
  expect(pilotIn({ ...bare, Config })).toMatchObject({ serves: false });
});

describe('another one', () => {
  const pilot = (name: string, data: string | null, fields: Parameters<typeof aContainer>[0] = {}) =>
    aContainer({ name, pilot: { serves: true, data, mounts: [] }, ...fields });

  test('is every other that serves on the engine', () => {
    const own = pilot('own', '/a', { self: true });
    expect(otherPilots([own, pilot('theirs', '/b'), aContainer({ name: 'nginx' })])).toEqual(['theirs']);
    expect(otherPilots([own])).toEqual([]);
    expect(otherPilots([pilot('theirs', null)])).toEqual(['theirs']);
  });

  test('is neither one that is stopped nor a command of a moment', () => {
    const own = pilot('own', '/a', { self: true });
    const moment = pilot('check', '/b', { pilot: { serves: false, data: '/b', mounts: [] } });
    expect(otherPilots([own, moment, pilot('stopped', '/c', { running: false })])).toEqual([]);
  });

  test('is not the service itself, seen by a command in a container of its own', () => {
    const command = pilot('run-1', '/a', { self: true, pilot: { serves: false, data: '/a', mounts: [] } });
    expect(otherPilots([command, pilot('service', '/a'), pilot('theirs', '/b')])).toEqual(['theirs']);
  });
});
