import { addressesOf } from '../../../src/probes/addresses';
import { FakeEngine } from '../../support/fake-engine';
import { TestClock } from '../../support/test-clock';

const engine = new FakeEngine(new TestClock());
engine.addImage({ reference: 'app:1' });
const runs = (name: string, ...networks: string[]): string =>
  engine.runContainer({ name, image: 'app:1', networks, hostConfig: { NetworkMode: networks[0] ?? 'default' } });
const app = runs('app', 'web', 'back');
const guest = runs('guest', `container:${app}`);
const onHost = runs('on-host', 'host');
const [inWeb = '', inBack = ''] = Object.values(engine.container(app).NetworkSettings.Networks).map(
  ({ IPAddress }) => IPAddress,
);

const addresses = (selfId: string | null, id: string): Promise<string[]> =>
  addressesOf({ engine, selfId }, engine.container(id));

afterEach(() => {
  engine.address = null;
});

it('of a container: those in the networks that diun-pilot shares with it', async () => {
  expect(await addresses(runs('pilot', 'web', 'proxy'), app)).toEqual([inWeb]);
  expect(await addresses(runs('stranger', 'proxy'), app)).toEqual([]);
});

it('of a container in the network of another: those of the other', async () => {
  expect(await addresses(runs('behind', 'back'), guest)).toEqual([inBack]);
  expect(await addresses(guest, app)).toEqual([inWeb, inBack]);
});

it('on the network of the host: loopback, only for a diun-pilot that is there too', async () => {
  expect(await addresses(runs('bridged', 'web'), onHost)).toEqual([]);
  expect(await addresses(onHost, onHost)).toEqual(['127.0.0.1']);
  expect(await addresses(null, onHost)).toEqual(['127.0.0.1']);
});

it('all of them from the host itself', async () => {
  expect(await addresses(null, app)).toEqual([inWeb, inBack]);
  expect(await addresses(onHost, app)).toEqual([inWeb, inBack]);
});

it.each([
  ['an engine that is reached over a network', null, { host: 'docker.example', port: '2376' }],
  ['an engine that does not know the container of diun-pilot', 'f'.repeat(64), null],
])('none of %s: they may be those of others', async (_, selfId, address) => {
  engine.address = address;
  expect(await addresses(selfId, app)).toEqual([]);
  expect(await addresses(selfId, onHost)).toEqual([]);
});
