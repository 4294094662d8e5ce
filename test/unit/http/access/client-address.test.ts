import { isIP } from 'node:net';
import { clientAddress, createTrustedProxies } from '../../../../src/http/access/client-address';
import { recordingLogger } from '../../../support/recording-logger';
import { TestClock } from '../../../support/test-clock';

const clock = new TestClock({ autoAdvance: false });
const { logger, lines } = recordingLogger();
let addresses: Record<string, string[]>;
let resolved: number;
beforeEach(() => {
  addresses = { edge: ['172.18.0.5'] };
  resolved = 0;
});

const resolve = (name: string, family: number): Promise<string[]> => {
  resolved += 1;
  const found = addresses[name]?.filter((address) => isIP(address) === family);
  return found ? Promise.resolve(found) : Promise.reject(new Error(`getaddrinfo ENOTFOUND ${name}`));
};
const listing = (...listed: string[]) => createTrustedProxies(listed, { clock, logger, resolve });
const asked = (
  peer: string | undefined,
  forwarded?: string,
  proxies = listing('172.18.0.5', '10.9.0.0/16', 'fd00::1'),
) => clientAddress({ socket: { remoteAddress: peer }, headers: { 'x-forwarded-for': forwarded } }, proxies);

test.each([
  ['172.18.0.5', '203.0.113.9'],
  ['::ffff:10.9.28.3', '2001:db8::7'],
  ['fd00::1', '198.51.100.1'],
])('the listed proxy %s names %s', async (peer, named) => {
  expect(await asked(peer, named)).toBe(named);
  expect(await asked(peer, `1.2.3.4, ${named}`)).toBe(named);
});

test.each(['172.18.0.6', '10.8.0.1', '192.168.1.2', '203.0.113.1', '127.0.0.1', '::1', 'fd00::2', '2001:db8::1'])(
  'from %s, which is not listed, the header proves nothing',
  async (peer) => expect(await asked(peer, '198.51.100.1')).toBe(peer),
);

test('with nothing listed no proxy counts', async () => {
  expect(await asked('172.18.0.5', '198.51.100.1', listing())).toBe('172.18.0.5');
});

test.each(['', 'unknown', '1.2.3.4, nonsense', '999.1.1.1'])('a proxy that says "%s" says nothing', async (said) => {
  expect(await asked('172.18.0.5', said)).toBe('172.18.0.5');
});

test('a connection that is gone has no address of its own', async () => {
  expect(await asked(undefined)).toBe('0.0.0.0');
});

test('a name counts over IPv6 too, and is only asked for the family of the peer', async () => {
  addresses = { edge: ['172.18.0.5', 'fd00::5'] };
  const proxies = listing('edge');
  expect(await asked('fd00::5', '198.51.100.1', proxies)).toBe('198.51.100.1');
  expect(await asked('fd00::6', '198.51.100.1', proxies)).toBe('fd00::6');
  expect(resolved).toBe(1);
});

test('a name counts with the address that it has now, and is resolved at most every five seconds', async () => {
  const proxies = listing('edge');
  expect(await asked('172.18.0.5', '198.51.100.1', proxies)).toBe('198.51.100.1');
  expect(await asked('172.18.0.9', '198.51.100.1', proxies)).toBe('172.18.0.9');
  expect(resolved).toBe(1);
  addresses = { edge: ['172.18.0.9'] };
  await clock.advance(5_000);
  expect(await asked('172.18.0.9', '198.51.100.1', proxies)).toBe('198.51.100.1');
  expect(await asked('172.18.0.5', '198.51.100.1', proxies)).toBe('172.18.0.5');
});

test('a name is resolved again when the clock was put back', async () => {
  const proxies = listing('edge');
  expect(await asked('172.18.0.5', '198.51.100.1', proxies)).toBe('198.51.100.1');
  addresses = { edge: ['172.18.0.9'] };
  await clock.advance(-3_600_000);
  expect(await asked('172.18.0.5', '198.51.100.1', proxies)).toBe('172.18.0.5');
});

test('a name without an address trusts no proxy, and the log says so', async () => {
  expect(await asked('172.18.0.5', '198.51.100.1', listing('gone'))).toBe('172.18.0.5');
  expect(lines).toContainEqual(expect.objectContaining({ name: 'gone', error: expect.stringContaining('ENOTFOUND') }));
});
