import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSmtpTransport } from '../../src/adapters/mail-smtp/smtp-transport';
import { silentLogger } from '../../src/lib/logger';
import { Secret } from '../../src/lib/secret';
import { aMail } from '../support/mail-builder';
import { startSmtpServer, type TestSmtpServer } from '../support/smtp-server';

const folder = mkdtempSync(join(tmpdir(), 'smtp-tls-'));
const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
let key: string;
let cert: string;
let server: TestSmtpServer;

beforeAll(() => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', keyFile, '-out', certFile, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...files, ...subject], { stdio: 'pipe' });
  [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8')];
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => server.stop());

const onAuth: NonNullable<Parameters<typeof startSmtpServer>[0]>['onAuth'] = (auth, _session, done) =>
  done(auth.password === 'p@ss/word' ? null : new Error('wrong'), { user: auth.username });

it.each([
  ['smtp', false],
  ['smtps', true],
])('logs in over TLS by %s: with percent-encoded password', async (scheme, secure) => {
  server = await startSmtpServer({ key, cert, secure, onAuth });
  const url = new Secret(`${scheme}://ops%40example.org:p%40ss%2Fword@localhost:${server.port}`);
  const transport = createSmtpTransport({ url, logger: silentLogger, ca: cert });
  await transport.check();
  await transport.send(aMail());
  expect(server.received).toEqual([expect.objectContaining({ secure: true, user: 'ops@example.org' })]);
});

it('sends nothing to a server whose certificate nobody vouches for', async () => {
  server = await startSmtpServer({ key, cert });
  const transport = createSmtpTransport({ url: new Secret(`smtp://127.0.0.1:${server.port}`), logger: silentLogger });
  await expect(transport.send(aMail())).rejects.toMatchObject({
    permanent: false,
    message: expect.stringContaining('certificate'),
  });
  expect(server.received).toEqual([]);
});
