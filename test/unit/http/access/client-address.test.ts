import { clientAddress } from '../../../../src/http/access/client-address';

const asked = (remoteAddress: string | undefined, forwarded?: string): string =>
  clientAddress({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } });

test.each([
  ['172.18.0.5', '203.0.113.9'],
  ['::ffff:10.244.28.3', '2001:db8::7'],
  ['192.168.1.2', '198.51.100.1'],
  ['fd00::12', '203.0.113.9'],
])('a proxy at %s is believed that %s asks', (peer, told) => {
  expect(asked(peer, told)).toBe(told);
  expect(asked(peer, `1.2.3.4, ${told}`)).toBe(told);
});

test.each(['203.0.113.1', '127.0.0.1', '::1', '172.32.0.1', '2001:db8::1'])(
  'from %s the header is anybody’s word',
  (peer) => expect(asked(peer, '198.51.100.1')).toBe(peer),
);

test.each(['', 'unknown', '1.2.3.4, nonsense', '999.1.1.1'])('a proxy that says "%s" says nothing', (told) => {
  expect(asked('172.18.0.5', told)).toBe('172.18.0.5');
});

test('a connection that is gone has no address of its own', () => expect(asked(undefined)).toBe('0.0.0.0'));
