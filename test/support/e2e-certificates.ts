import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTlsCertificateReader } from '../../src/adapters/tls/tls-certificate-reader';
import { parseCertificate } from '../../src/certificates/find-certificates';
import type { Certificate } from '../../src/domain/certificates/certificate';
import type { ComposeProject } from '../lab/compose';
import type { Lab } from '../lab/lab';
import type { Service } from './e2e-services';
import { eventually } from './eventually';
import { certificateWith } from './make-certificate';

export const NAME = 'git.lab.test';

const LIVE = `/etc/letsencrypt/live/${NAME}`;
const CHALLENGES = 'location /.well-known/acme-challenge/ { root /var/www/certbot; }';
const HTTP_SITE = `server { listen 80; server_name ${NAME}; ${CHALLENGES} location / { return 404; } }\n`;
const TLS_SITE = `server {
  listen 443 ssl;
  server_name ${NAME};
  ssl_certificate ${LIVE}/fullchain.pem;
  ssl_certificate_key ${LIVE}/privkey.pem;
}
`;

export const SITES = {
  withoutTls: HTTP_SITE,
  good: HTTP_SITE + TLS_SITE,
  withoutChallenges: HTTP_SITE.replace(CHALLENGES, '') + TLS_SITE,
  broken: `${HTTP_SITE}${TLS_SITE}a directive that is none;\n`,
};

/**
 * nginx in the network of another container, as shipped, a certbot that is created and not started, and Pebble, which
 * signs for `validDays`. Folders beside the compose file hold what they share.
 */
export function tlsServices(lab: Lab, { validDays }: { validDays: number }): Record<string, Service> {
  const letsencrypt = './letsencrypt:/etc/letsencrypt';
  const { EDGE, NGINX_GOOD_1, CERTBOT, PEBBLE } = lab.images;
  return {
    edge: { image: EDGE, labels: {}, ports: ['127.0.0.1::443'] },
    nginx: {
      image: NGINX_GOOD_1,
      labels: { 'renewal.role': 'server' },
      network_mode: 'service:edge',
      volumes: ['./conf:/etc/nginx/conf.d:ro', `${letsencrypt}:ro`, './webroot:/var/www/certbot:ro'],
    },
    pebble: {
      image: PEBBLE,
      labels: {},
      environment: { TARGET: 'edge', VALIDITY: String(validDays * 86_400) },
      volumes: ['./acme:/acme'],
      depends_on: ['edge'],
    },
    certbot: {
      image: CERTBOT,
      labels: { 'renewal.role': 'certbot' },
      command: ['renew', '--no-random-sleep-on-renew'],
      environment: { REQUESTS_CA_BUNDLE: '/acme/ca.pem' },
      volumes: [letsencrypt, './webroot:/var/www/certbot', './acme:/acme:ro'],
      profiles: ['renew'],
    },
  };
}

/** The files of such a project, seen from outside: what an operator edits, and what certbot keeps. */
export class TlsProject {
  constructor(readonly project: ComposeProject) {}

  /** The first certificate, from the CA; certbot's container is then as Compose makes it, created and not started. */
  async issue(): Promise<void> {
    await eventually(
      'Pebble is up',
      async () => (await this.project.container('pebble'))['State'].Health.Status === 'healthy',
    );
    const ask = ['certonly', '--webroot', '-w', '/var/www/certbot', '-d', NAME, '--server', 'https://pebble:14000/dir'];
    const account = ['--agree-tos', '--register-unsafely-without-email', '--non-interactive'];
    await this.project.compose(['run', '--rm', 'certbot', ...ask, ...account]);
    await this.project.compose(['create', 'certbot']);
    await this.serve(SITES.good);
  }

  write(site: string): void {
    writeFileSync(join(this.project.dir, 'conf/site.conf'), site);
  }

  async serve(site: string): Promise<void> {
    this.write(site);
    await this.reload();
  }

  async reload(): Promise<void> {
    await this.project.exec('nginx', 'nginx', '-s', 'reload');
  }

  /** Certbot's own setting: how many days before its end a certificate is due. */
  dueBefore(days: number): void {
    const file = join(this.project.dir, `letsencrypt/renewal/${NAME}.conf`);
    const rest = readFileSync(file, 'utf8').replace(/^.*renew_before_expiry.*\n/m, '');
    writeFileSync(file, `renew_before_expiry = ${days} days\n${rest}`);
  }

  /** In the place of the newest certificate there is then one that has `left` of 30 days left, and nginx serves it. */
  async age(left: number): Promise<Certificate> {
    const made = certificateWith(new Date(), { left, lifetime: 30, names: [NAME] });
    const folder = join(this.project.dir, `letsencrypt/archive/${NAME}`);
    const number = readdirSync(folder).filter((file) => file.startsWith('cert')).length;
    for (const [kind, content] of [
      ['cert', made.pem],
      ['fullchain', made.pem],
      ['privkey', made.key],
    ]) {
      writeFileSync(join(folder, `${kind}${number}.pem`), content ?? '');
    }
    await this.reload();
    await eventually(
      'the aged one is served',
      async () => (await this.served()).fingerprint === made.parsed.fingerprint,
    );
    return made.parsed;
  }

  onDisk(): Certificate {
    const file = join(this.project.dir, `letsencrypt/live/${NAME}/fullchain.pem`);
    return parseCertificate(readFileSync(file), 'the certificate on disk');
  }

  /** Asked at the published port, as a browser does. */
  async served(): Promise<Certificate> {
    const url = new URL(await this.project.url('edge', 443));
    const raw = await createTlsCertificateReader().served({ host: url.hostname, port: Number(url.port), name: NAME });
    return parseCertificate(raw, 'what is served');
  }

  async certbotRuns(): Promise<boolean> {
    return (await this.project.container('certbot'))['State'].Running === true;
  }
}
