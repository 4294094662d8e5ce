import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { readLink } from '../../../src/adapters/docker/layer';
import { credentialsFor } from '../../../src/adapters/docker/registry/credentials';
import { createRegistryImages } from '../../../src/adapters/docker/registry/images';
import { createRegistrySignatures } from '../../../src/adapters/docker/registry/signatures';
import { createRegistryTags } from '../../../src/adapters/docker/registry/tags';
import { readObject, Refused } from '../../../src/adapters/docker/socket-proxy/guard/strict';
import { readPage } from '../../../src/adapters/release-notes/pages';
import { readBundle } from '../../../src/adapters/sigstore/bundle';
import { namedDigest } from '../../../src/adapters/sigstore/payload';
import { snapshotsIn } from '../../../src/adapters/storage-restic/snapshots';
import { readManifest } from '../../../src/backups/manifest';
import { readDiunBody } from '../../../src/decisions/receive-webhook';
import type { BackupStorage } from '../../../src/ports/backup-storage';
import { DIGEST, HEX, promise, type Parser } from './parser';

const JSON_PIECES = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  'null',
  'true',
  '0',
  '-1',
  '1e999',
  '{}',
  '[]',
  '"__proto__"',
  '\\u0000',
];

/** Documents in JSON. */
export const JSON_DOCUMENTS: readonly Parser[] = [
  {
    name: 'pages of releases',
    seeds: [
      JSON.stringify([
        { tag_name: 'v1', name: null, body: 'x', html_url: 'https://a.b', draft: false, prerelease: true },
      ]),
    ],
    pieces: [...JSON_PIECES, '"tag_name"', '"body"', '"html_url"', '"javascript:"'],
    errors: ['NotesError'],
    parse: (input) => {
      const answer = {
        url: new URL('https://a.b/'),
        content: Buffer.from(input),
        headers: { link: input },
        status: 200,
      };
      for (const forge of ['github', 'gitlab', 'gitea'] as const) {
        const { releases } = readPage(forge, answer, 1);
        promise(
          releases.every(({ url }) => url === null || /^https?:/.test(url)),
          'a release has a link that is none',
        );
      }
    },
  },
  {
    name: 'what the engine says of a file',
    seeds: [
      '{"name":"run","size":4,"mode":134218239,"mtime":"2026-11-29T12:00:00Z","linkTarget":"/run"}',
      '{"mode":420}',
    ],
    pieces: [...JSON_PIECES, '"mode"', '134218239', '"linkTarget"'],
    parse: (input) => {
      const target = readLink(Buffer.from(input).toString('base64'), '/var/run');
      promise(target === null || typeof target === 'string', 'a link leads to what is no path');
    },
  },
  {
    name: 'payloads of Diun',
    seeds: [
      JSON.stringify({
        status: 'new',
        provider: 'docker',
        image: 'nginx:1',
        digest: DIGEST,
        platform: 'linux/amd64',
        hub_link: 'https://a.b',
        metadata: null,
      }),
    ],
    pieces: [...JSON_PIECES, '"status"', '"new"', '"image"', '"nginx"', `"${DIGEST}"`, '"digest"', '"platform"'],
    parse: (input) => {
      const read = readDiunBody(input);
      if ('error' in read) throw read.error;
      const { releaseNotes } = read.event;
      promise(releaseNotes === null || /^https?:/.test(releaseNotes), 'the link of an event is none');
    },
  },
  {
    name: 'signatures',
    seeds: [
      JSON.stringify({
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: { publicKey: { hint: '' } },
        dsseEnvelope: { payload: 'e30=', payloadType: 'application/vnd.in-toto+json', signatures: [{ sig: 'AA==' }] },
      }),
      JSON.stringify({
        critical: {
          type: 'cosign container image signature',
          image: { 'docker-manifest-digest': DIGEST },
          identity: {},
        },
      }),
      JSON.stringify({ predicateType: 'https://sigstore.dev/cosign/sign/v1', subject: [{ digest: { sha256: HEX } }] }),
      JSON.stringify({
        SignedEntryTimestamp: 'A',
        Payload: { body: 'e30=', integratedTime: 1, logIndex: 1, logID: 'ab' },
      }),
    ],
    pieces: [
      ...JSON_PIECES,
      '"payload"',
      '"signatures"',
      '"sig"',
      '"subject"',
      '"digest"',
      '"critical"',
      'e30=',
      '"dsseEnvelope"',
      '"verificationMaterial"',
    ],
    parse: (input) => {
      const payload = Buffer.from(input);
      const rest = { signature: input, certificate: input, chain: input, logEntry: input };
      readBundle({ form: 'bundle', json: input });
      readBundle({ form: 'payload', payload, ...rest } as never);
      for (const kind of ['payload', 'statement'] as const) namedDigest({ kind, bytes: payload });
    },
  },
  {
    name: 'lists of restic',
    seeds: [
      JSON.stringify([
        { id: 'abcdef01', time: '2024-01-01T00:00:00Z', paths: ['/a/b'], tags: ['diun-pilot', 'bytes=12'] },
      ]),
      'null',
    ],
    pieces: [...JSON_PIECES, '"id"', '"time"', '"paths"', '"tags"', '"bytes=1"', '"abcdef01"'],
    errors: ['StorageError'],
    parse: (input) => snapshotsIn(input),
  },
  {
    name: 'requests to the socket proxy',
    seeds: [JSON.stringify({ Image: 'a', HostConfig: { Binds: ['/a:/b'] }, Labels: { a: 'b', A: 'c' } })],
    pieces: [...JSON_PIECES, '"HostConfig"', '"hostconfig"', '"Labels"', '"a"', '"\u017f"', '"\u212a"'],
    errors: [Refused.name],
    parse: (input) => readObject(Buffer.from(input)),
  },
  {
    name: 'manifests of backups',
    seeds: [
      JSON.stringify({ version: 1, project: 'a', container: null, createdAt: '2024-01-01T00:00:00.000Z', items: [] }),
    ],
    pieces: [...JSON_PIECES, '"items"', '"key"', '"../x"', '"version"', '"project"', '"mac"', '"bytes"', '"sha256"'],
    parse: async (input) => {
      const storage = { get: () => Promise.resolve(Readable.from([Buffer.from(input)])) } as unknown as BackupStorage;
      const { manifest } = await readManifest(storage, 'a/b', []);
      promise(
        manifest.items.every(({ key }) => key.startsWith('a/b/')),
        'an item is in another folder',
      );
    },
  },
];

const AUTH: Parser = {
  name: 'registry logins',
  seeds: [
    JSON.stringify({ auths: { 'ghcr.io': { auth: 'dTpw' }, 'https://index.docker.io/v1/': { identitytoken: 'x' } } }),
  ],
  pieces: [
    ...JSON_PIECES,
    '"auths"',
    '"ghcr.io"',
    '"auth"',
    '"username"',
    '"password"',
    '"identitytoken"',
    'dTpw',
    '"credHelpers"',
  ],
  slow: true,
  parse: async (input) => {
    // A helper is a program on the PATH: none is started here.
    if (/cred(?:sStore|Helpers)/.test(input) && /"cred(?:sStore|Helpers)"\s*:\s*[^n]/.test(input)) return;
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
    try {
      writeFileSync(join(folder, 'config.json'), input);
      const found = await credentialsFor(folder, 'ghcr.io/a/b');
      if (found === null) return;
      const read = z.union([
        z.object({ identitytoken: z.string() }),
        z.object({ username: z.string(), password: z.string() }),
      ]);
      promise(read.safeParse(found).success, 'a login is no text');
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

const REGISTRY: Parser = {
  name: 'answers of a registry',
  seeds: [
    JSON.stringify({ name: 'a', tags: ['1', '2'] }),
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          digest: DIGEST,
          size: 1,
          platform: { os: 'linux', architecture: 'amd64' },
        },
      ],
    }),
    JSON.stringify({
      schemaVersion: 2,
      config: { digest: DIGEST },
      layers: [{ mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json', digest: DIGEST, annotations: {} }],
    }),
  ],
  pieces: [
    ...JSON_PIECES,
    '"tags"',
    '"manifests"',
    '"digest"',
    `"${DIGEST}"`,
    '"platform"',
    '"layers"',
    '"annotations"',
    '"config"',
  ],
  errors: ['EngineError'],
  slow: true,
  parse: async (input) => {
    const server = createServer((_request, response) => void response.end(input));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const name = `127.0.0.1:${(server.address() as AddressInfo).port}/a`;
    const asked = { dockerConfigDir: null };
    try {
      const results = await Promise.allSettled([
        createRegistryTags(asked).tags(`${name}:1`),
        createRegistryImages(asked).configOf(`${name}@${DIGEST}`, { os: 'linux', architecture: 'amd64' } as never),
        createRegistrySignatures(asked).of(`${name}@${DIGEST}`),
      ]);
      const failed = results.find(({ status }) => status === 'rejected');
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
};

export const ASKED: readonly Parser[] = [AUTH, REGISTRY];
