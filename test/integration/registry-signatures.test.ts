import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRegistrySignatures } from '../../src/adapters/docker/registry/signatures';
import { MOST_SIGNATURES } from '../../src/domain/bounds';
import type { FoundSignature } from '../../src/domain/signatures/signature';
import { registrySignaturesContract } from '../contract/registry-signatures.contract';
import { makeSigner, type Signer } from '../support/signer';

jest.setTimeout(60_000);

const SIMPLE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const digestOf = (content: string | Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;
const DIGEST = digestOf('the image');

/** A registry in memory, as far as signatures go. */
class Registry {
  readonly blobs = new Map<string, string | Buffer>();
  readonly manifests = new Map<string, string>();
  /** Null: it has no referrers API. */
  referrers: Map<string, string> | null = null;
  status: number | null = null;
  asked: string[] = [];
  readonly server: Server = createServer((request, response) => {
    const [, kind = '', name = ''] =
      /^\/v2\/team\/app\/(manifests|blobs|referrers)\/(.+)$/.exec(request.url ?? '') ?? [];
    this.asked.push(`${kind}/${name}`);
    if (this.status !== null) return void response.writeHead(this.status).end('{}');
    const content = kind === 'referrers' ? this.#referrersOf(name) : this.#stored(kind).get(name);
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });

  #stored(kind: string): Map<string, string | Buffer> {
    return kind === 'blobs' ? this.blobs : this.manifests;
  }

  #referrersOf(digest: string): string | undefined {
    return this.referrers === null ? undefined : (this.referrers.get(digest) ?? index([]));
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  at(digest = DIGEST): string {
    return `${this.host}/team/app@${digest}`;
  }

  keep(content: string | Buffer): string {
    this.blobs.set(digestOf(content), content);
    return digestOf(content);
  }

  manifest(layers: object[]): string {
    const text = JSON.stringify({ schemaVersion: 2, layers });
    this.manifests.set(digestOf(text), text);
    return digestOf(text);
  }

  /** As cosign 2 does. */
  signByTag({ payload, signature }: FoundSignature & { form: 'payload' }, digest = DIGEST): void {
    const annotations = { 'dev.cosignproject.cosign/signature': signature };
    const text = JSON.stringify({ layers: [{ mediaType: SIMPLE, digest: this.keep(payload), annotations }] });
    this.manifests.set(`${digest.replace(':', '-')}.sig`, text);
  }

  /** Digest of the manifest that refers to the image. */
  bundle({ json }: FoundSignature & { form: 'bundle' }): string {
    return this.manifest([{ mediaType: BUNDLE, digest: this.keep(json) }]);
  }

  fallbackTag(referrers: object[], digest = DIGEST): void {
    this.manifests.set(digest.replace(':', '-'), index(referrers));
  }
}

const index = (manifests: object[]): string => JSON.stringify({ schemaVersion: 2, manifests });

let registry: Registry;
let signer: Signer;
beforeAll(() => (signer = makeSigner()));
afterAll(() => signer.remove());
beforeEach(async () => {
  registry = new Registry();
  await new Promise<void>((resolve) => registry.server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => void registry.server.close().closeAllConnections());

const read = () => createRegistrySignatures({ dockerConfigDir: null }).of(registry.at());
const refused = (why: RegExp) => ({ code: 'registry_refused', message: expect.stringMatching(why) });

registrySignaturesContract('a registry over HTTP', async () => {
  const scene = new Registry();
  await new Promise<void>((resolve) => scene.server.listen(0, '127.0.0.1', resolve));
  const own = makeSigner();
  const [unsigned, payload, bundle] = ['1', '2', '3'].map(digestOf) as [string, string, string];
  scene.signByTag(own.payload(payload), payload);
  scene.fallbackTag([{ digest: scene.bundle(own.bundle(bundle)) }], bundle);
  return {
    signatures: createRegistrySignatures({ dockerConfigDir: null }),
    unsigned: scene.at(unsigned),
    payload: scene.at(payload),
    bundle: scene.at(bundle),
    unknown: scene.at(digestOf('unknown')),
    away: `127.0.0.1:1/team/app@${unsigned}`,
    takeDown: () => {
      own.remove();
      scene.server.close().closeAllConnections();
    },
  };
});

test('a bundle is found by the referrers API, and by the fallback tag only without it', async () => {
  const bundle = signer.bundle(DIGEST);
  registry.referrers = new Map([[DIGEST, index([{ digest: registry.bundle(bundle), artifactType: BUNDLE }])]]);
  expect(await read()).toEqual([bundle]);
  expect(registry.asked).not.toContain(`manifests/${DIGEST.replace(':', '-')}`);
  registry.referrers = null;
  registry.fallbackTag([{ digest: registry.bundle(bundle), artifactType: 'application/vnd.oci.empty.v1+json' }]);
  expect(await read()).toEqual([bundle]);
});

test('other referrers are not read', async () => {
  const sbom = registry.manifest([{ mediaType: 'application/vnd.cyclonedx+json', digest: registry.keep('{}') }]);
  registry.fallbackTag([
    { digest: digestOf('not there'), artifactType: 'application/vnd.cyclonedx+json' },
    { digest: sbom },
  ]);
  expect(await read()).toEqual([]);
});

test('both forms are found together', async () => {
  registry.signByTag(signer.payload(DIGEST));
  registry.fallbackTag([{ digest: registry.bundle(signer.bundle(DIGEST)) }]);
  expect((await read()).map(({ form }) => form)).toEqual(['payload', 'bundle']);
});

test.each([500, 502, 503, 429])(
  'a registry that answers %d does not answer: its images are not unsigned',
  async (status) => {
    registry.status = status;
    await expect(read()).rejects.toMatchObject({ code: 'registry_unreachable' });
  },
);

test.each([401, 403])('a registry that answers %d refuses', async (status) => {
  registry.status = status;
  await expect(read()).rejects.toMatchObject(refused(new RegExp(`answers ${status}|login`)));
});

test('a signature that the registry has lost is not an unsigned image', async () => {
  registry.signByTag(signer.payload(DIGEST));
  registry.blobs.clear();
  await expect(read()).rejects.toMatchObject(refused(/404/));
});

test('content with another digest is refused', async () => {
  const digest = registry.bundle(signer.bundle(DIGEST));
  registry.fallbackTag([{ digest }]);
  for (const blob of registry.blobs.keys()) registry.blobs.set(blob, 'other');
  await expect(read()).rejects.toMatchObject(refused(/does not have the digest/));
  registry.manifests.set(digest, JSON.stringify({ layers: [] }));
  await expect(read()).rejects.toMatchObject(refused(/does not have the digest/));
});

test('a signature without its value is unreadable, and not left out', async () => {
  registry.manifests.set(
    `${DIGEST.replace(':', '-')}.sig`,
    JSON.stringify({ layers: [{ mediaType: SIMPLE, digest: registry.keep('{}') }] }),
  );
  expect(await read()).toEqual([{ form: 'unreadable', why: 'a signature has no value' }]);
});

test('more than can be read is refused, since the right one may be among them', async () => {
  const digest = registry.bundle(signer.bundle(DIGEST));
  registry.fallbackTag(Array.from({ length: MOST_SIGNATURES + 1 }, () => ({ digest })));
  await expect(read()).rejects.toMatchObject(refused(/more than 64 signatures/));
});

test('a list of referrers that is none is refused', async () => {
  registry.manifests.set(DIGEST.replace(':', '-'), '[]');
  await expect(read()).rejects.toMatchObject(refused(/not an index/));
});
