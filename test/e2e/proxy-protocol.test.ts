import { spawn, type ChildProcess } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTlsCertificateReader } from '../../src/adapters/tls/tls-certificate-reader';
import { NGINX } from '../lab/debian-program';
import { freePort } from '../lab/free-port';
import { eventually } from '../support/eventually';
import { certificateWith } from '../support/make-certificate';
import { describeIf } from '../support/needs';

jest.setTimeout(60_000);

describeIf(NGINX.whyNot(), 'a real nginx with `listen … ssl proxy_protocol`', () => {
  let folder: string;
  let nginx: ChildProcess;
  let port: number;
  const made = certificateWith(new Date(), { names: ['git.example.org'] });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nginx-'));
    chmodSync(folder, 0o755);
    port = await freePort();
    writeFileSync(join(folder, 'cert.pem'), made.pem);
    writeFileSync(join(folder, 'key.pem'), made.key);
    const server = `server { listen 127.0.0.1:${port} ssl proxy_protocol; ssl_certificate cert.pem; ssl_certificate_key key.pem; }`;
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {} http { access_log off; ${paths.join(' ')} ${server} }`,
    );
    nginx = spawn(NGINX.path, ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], { stdio: 'ignore' });
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => nginx.once('exit', resolve));
    nginx.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true });
  });

  const served = (proxyProtocol: boolean) =>
    createTlsCertificateReader({ answerWithinMs: 20_000 }).served({
      host: '127.0.0.1',
      port,
      name: 'git.example.org',
      proxyProtocol,
    });

  test('presents its certificate after a PROXY header, and none without', async () => {
    const seen = await eventually('nginx answers', () => served(true).catch(() => null), {
      timeoutMs: 60_000,
    });
    expect(new X509Certificate(seen).subjectAltName).toBe('DNS:git.example.org');
    await expect(served(false)).rejects.toMatchObject({ code: 'certificate_unreadable' });
  });
});
