import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistryImages } from '../../src/adapters/docker/registry/images';
import type { PlatformImage } from '../../src/ports/registry';

jest.setTimeout(60_000);

// A registry is not trusted: what it answers must have the digest that was asked for, and be bounded.
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const config = (mark: string): string => digestOf(`config ${mark}`);

let server: Server;
let host: string;
let folder: string;
/** What the registry has, by digest. */
let kept: Map<string, string>;
let status: number;
let login: string | null;
let accepts: string[];

beforeAll(async () => {
  server = createServer((request, response) => {
    accepts.push(request.headers.accept ?? '');
    if (login !== null && request.headers.authorization !== login)
      return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="registry"' }).end();
    const content = kept.get(request.url?.split('/').at(-1) ?? '');
    if (content === undefined) return void response.writeHead(404).end();
    response.writeHead(status, { 'Content-Type': OCI_INDEX }).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close().closeAllConnections());
beforeEach(() => {
  kept = new Map();
  status = 200;
  login = null;
  accepts = [];
  folder = mkdtempSync(join(tmpdir(), 'docker-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function keep(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  kept.set(digestOf(text), text);
  return digestOf(text);
}
const image = (mark: string): string => keep({ schemaVersion: 2, config: { digest: config(mark) }, layers: [] });
const entry = (digest: string, architecture: string, variant?: string) => ({
  digest,
  platform: { os: 'linux', architecture, variant },
});
const index = (...manifests: unknown[]): string => keep({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });

const ask = (digest: string, architecture = 'amd64', variant = ''): Promise<PlatformImage | null> =>
  createRegistryImages({ dockerConfigDir: folder }).imageOf(`${host}/forge/app@${digest}`, {
    ...{ os: 'linux', architecture, variant },
  });

test('selects the manifest of the platform, past attestations and other architectures', async () => {
  const own = image('own');
  const attestation = {
    ...entry(image('attestation'), 'unknown'),
    platform: { os: 'unknown', architecture: 'unknown' },
  };
  const digest = index(entry(image('arm'), 'arm64', 'v8'), attestation, { digest: image('bare') }, entry(own, 'amd64'));
  await expect(ask(digest)).resolves.toEqual({ manifest: own, config: config('own') });
  await expect(ask(digest, 'arm64')).resolves.toMatchObject({ config: config('arm') });
  expect(accepts[0]).toContain(OCI_INDEX);
});

test('asks with the login of the Docker client, once for each manifest after the first', async () => {
  login = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  const auth = login.replace('Basic ', '');
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  await expect(ask(index(entry(image('own'), 'amd64')))).resolves.toMatchObject({ config: config('own') });
  expect(accepts).toHaveLength(3);
});

test.each<[string, () => string, string, string]>([
  ['no entry of the platform', () => index(entry(image('arm'), 'arm64')), 'amd64', ''],
  ['several of the platform', () => index(entry(image('a'), 'amd64'), entry(image('b'), 'amd64')), 'amd64', ''],
  ['only another variant', () => index(entry(image('v7'), 'arm', 'v7')), 'arm', 'v6'],
  ['an index inside the index', () => index(entry(index(entry(image('a'), 'amd64')), 'amd64')), 'amd64', ''],
])('names none for %s', async (_what, digest, architecture, variant) => {
  await expect(ask(digest(), architecture, variant)).resolves.toBeNull();
});

describe('the configuration', () => {
  const configOf = (digest: string) =>
    createRegistryImages({ dockerConfigDir: folder }).configOf(`${host}/forge/app@${digest}`, {
      ...{ os: 'linux', architecture: 'amd64', variant: '' },
    });
  const withConfig = (configuration: unknown): string =>
    keep({ schemaVersion: 2, config: { digest: keep(configuration) }, layers: [] });

  test('has labels and an environment', async () => {
    const nothing = { labels: {}, env: [] };
    const full = { Labels: { a: 'b' }, Env: ['PG_MAJOR=17'] };
    await expect(configOf(withConfig({ config: full }))).resolves.toEqual({ labels: { a: 'b' }, env: ['PG_MAJOR=17'] });
    await expect(configOf(withConfig({ config: { Labels: null, Env: null } }))).resolves.toEqual(nothing);
    await expect(configOf(withConfig({}))).resolves.toEqual(nothing);
    await expect(configOf(withConfig('no JSON'))).resolves.toEqual(nothing);
  });

  test('is not read of content that has another digest', async () => {
    const digest = keep({ schemaVersion: 2, config: { digest: config('theirs') }, layers: [] });
    kept.set(config('theirs'), '{"config":{"Labels":{"a":"b"}}}');
    await expect(configOf(digest)).rejects.toMatchObject({
      code: 'registry_refused',
      message: expect.stringMatching(/digest/),
    });
  });
});

describe('tells what is wrong', () => {
  const foreign = (): string => {
    const digest = image('own');
    kept.set(digest, JSON.stringify({ config: { digest: config('theirs') } }));
    return digest;
  };
  test.each<[string, () => string, string, RegExp]>([
    ['an answer that has another digest', foreign, 'registry_refused', /does not have the digest/],
    [
      'an entry whose manifest has another digest',
      () => index(entry(foreign(), 'amd64')),
      'registry_refused',
      /does not have/,
    ],
    ['what is not a manifest', () => keep({ hello: 'world' }), 'registry_refused', /not the manifest of an image/],
    ['what is not JSON', () => keep('<html>'), 'registry_refused', /not the manifest of an image/],
    [
      'a digest that leads elsewhere',
      () => index(entry('../../secret', 'amd64')),
      'registry_refused',
      /not the manifest/,
    ],
    ['a manifest without end', () => keep(`"${'x'.repeat(5 * 1024 * 1024)}"`), 'registry_refused', /larger than 4 MiB/],
    ['a digest that is not there', () => digestOf('absent'), 'registry_refused', /answers 404/],
    ['a login that is missing', () => ((login = 'Basic x'), image('own')), 'registry_refused', /requires a login/],
    [
      'a rate limit',
      () => ((status = 429), image('own')),
      'registry_unreachable',
      /limits requests now\. Retry later\.$/,
    ],
    ['a broken registry', () => ((status = 503), image('own')), 'registry_unreachable', /status 503/],
  ])('%s', async (_what, digest, code, message) => {
    await expect(ask(digest())).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
