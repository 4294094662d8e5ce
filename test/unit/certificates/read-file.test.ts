import { Readable } from 'node:stream';
import { pack, type Header } from 'tar-stream';
import { foldersIn, parseCertificate, readCertificateFile } from '../../../src/certificates/find-certificates';
import { EngineError } from '../../../src/domain/errors';
import type { Engine } from '../../../src/ports/engine';
import { makeCertificate } from '../../support/make-certificate';

type Entry = [Partial<Header> & { name: string }, string?];

/** An engine whose archive of a path is what the test says; of any other path it says what Docker says. */
function engineWith(archives: Record<string, Entry[]>): Engine {
  const archive = (_id: string, path: string): Promise<Readable> => {
    const entries = archives[path];
    if (entries === undefined) {
      const words = `The Docker Engine refused: Could not find the file ${path} in container 1`;
      return Promise.reject(new EngineError('engine_refused', words));
    }
    const tar = pack();
    for (const [header, content = ''] of entries) tar.entry(header, content);
    tar.finalize();
    return Promise.resolve(Readable.from(tar));
  };
  return { archive } as Partial<Engine> as Engine;
}

const link = (name: string, linkname: string): Entry => [{ name, type: 'symlink', linkname }];

test('follows links as certbot makes them, relative and absolute', async () => {
  const engine = engineWith({
    '/le/live/git/fullchain.pem': [link('fullchain.pem', '../../archive/git/fullchain3.pem')],
    '/le/archive/git/fullchain3.pem': [link('fullchain3.pem', '/deep/file')],
    '/deep/file': [[{ name: 'file' }, 'content']],
  });
  expect((await readCertificateFile(engine, 'c', '/le/live/git/fullchain.pem'))?.toString()).toBe('content');
});

test('what is not there is null, also behind a link', async () => {
  const engine = engineWith({ '/a': [link('a', 'gone')] });
  expect(await readCertificateFile(engine, 'c', '/b')).toBeNull();
  expect(await readCertificateFile(engine, 'c', '/a')).toBeNull();
});

test.each<[string, Record<string, Entry[]>]>([
  ['a circle', { '/a': [link('a', 'a')] }],
  ['a folder', { '/a': [[{ name: 'a/', type: 'directory' }]] }],
  ['something huge', { '/a': [[{ name: 'a' }, 'x'.repeat(1_100_000)]] }],
])('%s is refused', async (_what, archives) => {
  await expect(readCertificateFile(engineWith(archives), 'c', '/a')).rejects.toMatchObject({
    code: 'certificate_unreadable',
  });
});

test('an engine that is gone is no missing file', async () => {
  const gone = new EngineError('engine_unreachable', 'No engine.');
  const engine = { archive: () => Promise.reject(gone) } as Partial<Engine> as Engine;
  await expect(readCertificateFile(engine, 'c', '/a')).rejects.toBe(gone);
});

test('names the folders directly inside', async () => {
  const engine = engineWith({
    '/live': [
      [{ name: 'live/', type: 'directory' }],
      [{ name: 'live/README' }, 'text'],
      [{ name: 'live/git/', type: 'directory' }],
      link('live/git/cert.pem', '../../archive/git/cert1.pem'),
      link('live/www/cert.pem', '../../archive/www/cert1.pem'),
    ],
  });
  expect(await foldersIn(engine, 'c', '/live')).toEqual(['git', 'www']);
  expect(await foldersIn(engine, 'c', '/nowhere')).toEqual([]);
});

describe('a certificate', () => {
  const dates = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2026-04-01T00:00:00Z') };

  test('is read from a chain in PEM, and from DER', () => {
    const [own, issuer] = [
      makeCertificate({ ...dates, names: ['a.example.org', '*.b.example.org'] }),
      makeCertificate(dates),
    ];
    const read = parseCertificate(own.pem + issuer.pem, 'it');
    expect(read).toEqual({
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      names: ['a.example.org', '*.b.example.org'],
      notBefore: '2026-01-01T00:00:00.000Z',
      notAfter: '2026-04-01T00:00:00.000Z',
    });
    expect(parseCertificate(own.der, 'it')).toEqual(read);
  });

  test('without alternative names bears its common name', () => {
    expect(makeCertificate({ ...dates, commonNameOnly: true }).parsed.names).toEqual(['git.example.org']);
  });

  test('what is none is refused by name', () => {
    expect(() => parseCertificate('-----BEGIN NONSENSE-----', 'fullchain.pem of web')).toThrow(
      expect.objectContaining({
        code: 'certificate_unreadable',
        message: expect.stringContaining('fullchain.pem of web'),
      }),
    );
  });
});
