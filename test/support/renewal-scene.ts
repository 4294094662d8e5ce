import { PilotError } from '../../src/domain/errors';
import type { RenewalRecord } from '../../src/domain/certificates/certificate';
import type { CommandCall, Outcome } from './fake-engine-types';
import { certificateWith, type MadeCertificate } from './make-certificate';
import { openScene, type Scene } from './scene';

const FULLCHAIN = '/etc/letsencrypt/live/git.example.org/fullchain.pem';
const SITE = `# configuration file /etc/nginx/nginx.conf:
http { include /etc/nginx/conf.d/*.conf; }
# configuration file /etc/nginx/conf.d/git.conf:
server { listen 443 ssl; server_name git.example.org; ssl_certificate ${FULLCHAIN}; }
`;

const PLAIN = '# configuration file /etc/nginx/nginx.conf:\nhttp { server { listen 80; } }\n';

/** A compose project with an nginx that serves TLS and the certbot that renews for it, on the fake engine. */
export interface RenewalScene {
  scene: Scene;
  /** What the next run of certbot does; by default it sees nothing that is due. */
  certbot: (call: CommandCall) => Outcome;
  /** What nginx has loaded; null: nobody can ask it. */
  served: MadeCertificate | null;
  /** How nginx answers. */
  nginx: { test: Outcome; reload: Outcome; loads: boolean };
  /** Whether nginx is told to serve TLS. */
  configured: () => boolean;
  first: MadeCertificate;
  /** certbot puts this on disk, and ends with 0. */
  renewsTo(next: MadeCertificate): void;
  certificate(left: number, lifetime?: number): MadeCertificate;
  onDisk(): string;
  renewals(): RenewalRecord[];
  /** The process died: the next one on the same host and data. */
  restart(): void;
}

export function openRenewalScene({ certbots = true, servers = true, probe = 'nginx' } = {}): RenewalScene {
  const scene = openScene();
  const made = new Map<string, MadeCertificate>();
  const certificate = (left: number, lifetime = 90): MadeCertificate => {
    const each = certificateWith(scene.clock.now(), { left, lifetime });
    made.set(each.pem, each);
    return each;
  };
  const first = certificate(60);
  const self: RenewalScene = {
    scene,
    certbot: () => ({ stdout: 'Certificate not yet due for renewal' }),
    served: first,
    nginx: { test: {}, reload: {}, loads: true },
    configured: () => true,
    first,
    renewsTo: (next) => {
      self.certbot = ({ files }) => {
        files.write(FULLCHAIN, next.pem);
        return { stdout: 'Congratulations, all renewals succeeded' };
      };
    },
    certificate,
    onDisk: () => self.scene.engine.files('web-nginx-1').read(FULLCHAIN)?.toString() ?? '',
    renewals: () => self.scene.store.renewals.list(50).reverse(),
    restart: () => {
      self.scene = scene.restart();
      self.scene.deps.certificates = { served: () => presented(self) };
    },
  };
  scene.deps.certificates = { served: () => presented(self) };
  addImages(self, made, probe);
  if (servers) scene.engine.runContainer(server(probe));
  if (certbots) scene.engine.runContainer(certbotContainer());
  scene.engine.files(servers ? 'web-nginx-1' : 'web-certbot-1').write(FULLCHAIN, first.pem);
  return self;
}

function presented({ served }: RenewalScene): Promise<Buffer> {
  if (served !== null) return Promise.resolve(served.der);
  return Promise.reject(new PilotError('certificate_unreadable', 'Port 443 presents no certificate: ECONNREFUSED.'));
}

function addImages(self: RenewalScene, made: Map<string, MadeCertificate>, probe: string): void {
  const load = ({ files }: CommandCall): void => {
    const next = made.get(files.read(FULLCHAIN)?.toString() ?? '');
    if (next !== undefined && self.nginx.loads) self.served = next;
  };
  const scripts = {
    'nginx -T': () => (self.nginx.test.exitCode ? self.nginx.test : { stdout: self.configured() ? SITE : PLAIN }),
    'nginx -t': () => self.nginx.test,
    'nginx -s reload': (call: CommandCall) => {
      if (!self.nginx.reload.exitCode) load(call);
      return self.nginx.reload;
    },
  };
  const { engine } = self.scene;
  engine.addImage({ reference: 'nginx:stable', scripts: probe === 'nginx' ? scripts : {} });
  engine.addImage({ reference: 'certbot:2', scripts: { 'certbot renew': (call) => self.certbot(call) } });
  engine.onCall('restart', () => load({ files: engine.files('web-nginx-1') } as CommandCall), { when: 'after' });
}

const project = { 'com.docker.compose.project': 'web' };
const volumes = { letsencrypt: '/etc/letsencrypt' };

function server(probe: string): Parameters<Scene['engine']['runContainer']>[0] {
  const labels = { ...project, 'renewal.role': 'server', 'update.probe': probe };
  return { name: 'web-nginx-1', image: 'nginx:stable', labels, volumes };
}

function certbotContainer(): Parameters<Scene['engine']['runContainer']>[0] {
  const labels = { ...project, 'renewal.role': 'certbot' };
  return { name: 'web-certbot-1', image: 'certbot:2', cmd: ['certbot', 'renew'], labels, volumes, stopped: true };
}
