import type { LookupAddress } from 'node:dns';
import { Destinations } from '../../../src/adapters/docker/registry/repository';

type Names = Record<string, string[]>;

const registry = new URL('https://registry.example:5000');

/** The resolver answers each time with the addresses as they are then. */
function destinations(names: Names): Destinations {
  return new Destinations(registry, (hostname, _options, done) => {
    const found = (names[hostname] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (found.length === 0) done(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), []);
    else done(null, found);
  });
}

function dialled(to: Destinations, address: string): Promise<string[]> {
  const url = new URL(address);
  return new Promise((resolve, reject) => {
    to.lookupFor(url)(url.hostname, { all: true }, (error, found) =>
      error ? reject(error) : resolve((found as LookupAddress[]).map((each) => each.address)),
    );
  });
}

test('the registry may be anywhere: the operator has chosen it', async () => {
  const to = destinations({ 'registry.example': ['10.0.0.5'] });
  await expect(dialled(to, 'https://registry.example:5000/v2/')).resolves.toEqual(['10.0.0.5']);
});

test('what it leads to may be on the public internet', async () => {
  const to = destinations({ 'registry.example': ['10.0.0.5'], 'auth.example': ['1.1.1.1', '2606:4700::1111'] });
  await dialled(to, 'https://registry.example:5000/');
  await expect(dialled(to, 'https://auth.example/token')).resolves.toEqual(['1.1.1.1', '2606:4700::1111']);
});

test('or where the registry itself is, by another name or port', async () => {
  const to = destinations({ 'registry.example': ['10.0.0.5', 'fd00::5'], 'auth.example': ['fd00::5'] });
  await dialled(to, 'https://registry.example:5000/');
  await expect(dialled(to, 'https://auth.example/token')).resolves.toEqual(['fd00::5']);
});

test.each(['10.0.0.6', '127.0.0.1', '169.254.169.254', 'fe80::1', '::1', '::ffff:10.0.0.6'])(
  'but not at %s, even when only one of the addresses of the name is there',
  async (address) => {
    const to = destinations({ 'registry.example': ['10.0.0.5'], 'auth.example': ['1.1.1.1', address] });
    await dialled(to, 'https://registry.example:5000/');
    await expect(dialled(to, 'https://auth.example/token')).rejects.toMatchObject({
      code: 'registry_refused',
      message: expect.stringContaining(`auth.example (${address})`),
    });
  },
);

test('a name that moves to a private address between two questions is refused at the second', async () => {
  const names: Names = { 'registry.example': ['1.1.1.1'], 'auth.example': ['8.8.8.8'] };
  const to = destinations(names);
  await dialled(to, 'https://registry.example:5000/');
  await expect(dialled(to, 'https://auth.example/token')).resolves.toEqual(['8.8.8.8']);
  names['auth.example'] = ['192.168.0.1'];
  await expect(dialled(to, 'https://auth.example/token')).rejects.toMatchObject({ code: 'registry_refused' });
});

test('a name that does not resolve is no answer, not a refusal', async () => {
  await expect(dialled(destinations({}), 'https://registry.example:5000/')).rejects.toMatchObject({
    code: 'ENOTFOUND',
  });
});

test.each([
  ['http://auth.example/token', /without TLS/],
  ['http://127.0.0.1:9200/', /without TLS/],
  ['http://registry.example:5000/', /without TLS/],
  ['https://127.0.0.1:9200/', /neither on the public/],
  ['https://2130706433/', /127\.0\.0\.1/],
  ['https://[::1]/', /neither on the public/],
  ['ftp://auth.example/', /without TLS/],
  ['file:///etc/passwd', /without TLS/],
])('%s is refused before a connection is made', (address, message) => {
  expect(() => destinations({}).check(new URL(address))).toThrow(message);
});
