import type { Behaviour, ImageSpec, Outcome, Scripts } from './fake-engine-types';
import { openScene, type Scene } from './scene';

/** An app with a worker and an nginx in front of it, in one compose project. nginx resolves the app's name as the real one does. */
export interface Proxied {
  scene: Scene;
  /** Publishes a new image of the app and works until nothing is left to do. */
  update: (image?: Partial<AppImage>) => Promise<void>;
  publish: (image?: Partial<AppImage>) => void;
  /** What a client gets through nginx now. */
  serves: () => number;
  /** How often the nginx was reloaded. */
  reloads: () => number;
}

interface AppImage {
  health: Behaviour;
  /** False: it listens on another port than nginx passes requests to. */
  answers: boolean;
}

interface Options {
  /** Of nginx's and the worker's `depends_on`, its third field. Null: they have none. */
  restart: boolean | null;
  labels?: Record<string, string>;
  /** Neither passes requests to the app before the update. */
  brokenBefore?: boolean;
}

const CONFIGURATION = `# configuration file /etc/nginx/nginx.conf:
http { server { listen 9; server_name site.example; location / { proxy_pass http://app:8080; } } }
`;
/** By which the fake knows such an image. */
const DEAF = 'other-port';

export function runProxied({ restart, labels = {}, brokenBefore = false }: Options): Proxied {
  const scene = openScene();
  const { engine } = scene;
  const loaded = { addresses: [] as string[], startedAt: '', reloads: 0, broken: brokenBefore };
  const appsRunning = (): { address: string; image: ImageSpec }[] =>
    [...engine.host.containers.values()]
      .filter((each) => each.inspect.Config.Labels?.['com.docker.compose.service'] === 'app')
      .filter((each) => engine.host.state(each).Running)
      .map((each) => ({ address: addressOf(engine.host.inspect(each)), image: each.image.spec }));
  const load = (): void => void (loaded.addresses = appsRunning().map(({ address }) => address));
  const serves = (): number => {
    const { StartedAt } = engine.container('web-nginx-1').State;
    if (loaded.startedAt !== StartedAt) load();
    loaded.startedAt = StartedAt;
    const reached = appsRunning().filter(({ address }) => loaded.addresses.includes(address));
    return !loaded.broken && reached.some(({ image }) => image.logs?.includes(DEAF) !== true) ? 200 : 502;
  };
  const nginx: Scripts = {
    'nginx -T': { stdout: CONFIGURATION },
    'nginx -t': {},
    'nginx -s reload': (): Outcome => {
      load();
      loaded.reloads += 1;
      return {};
    },
    'curl *': (): Outcome => ({ stdout: String(serves()) }),
  };
  engine.addImage({ reference: 'app:1' });
  engine.addImage({ reference: 'worker:1' });
  engine.addImage({ reference: 'nginx:1', scripts: nginx, config: { Env: ['NGINX_VERSION=1.30'] } });
  const inProject = { 'com.docker.compose.project': 'web', 'diun.enable': 'true' };
  const depends: Record<string, string> =
    restart === null ? {} : { 'com.docker.compose.depends_on': `app:service_started:${restart}` };
  const run = (service: string, more: Record<string, string>, networks?: string[]): void =>
    void engine.runContainer({
      ...(networks === undefined ? { hostConfig: { NetworkMode: 'host' } } : { networks }),
      name: `web-${service}-1`,
      image: `${service}:1`,
      restart: 'unless-stopped',
      labels: { ...inProject, 'com.docker.compose.service': service, ...more },
    });
  run('app', { 'update.policy': 'automatic', ...labels }, ['web']);
  run('worker', depends, ['web']);
  // Nothing may leave this machine: with an address of its own it would be requested over the network.
  run('nginx', { ...depends, 'update.probe.timeout': '3s' });
  serves();
  const publish = ({ health = 'healthy', answers = true }: Partial<AppImage> = {}): void => {
    const { digest } = engine.publish('app:1', { health, logs: answers ? [] : [DEAF] });
    scene.hear('docker.io/library/app:1', digest);
  };
  return {
    ...{ scene, publish, serves, reloads: () => loaded.reloads },
    update: async (image) => {
      publish(image);
      await scene.settle();
    },
  };
}

function addressOf({ NetworkSettings }: ReturnType<Scene['engine']['container']>): string {
  return Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '';
}
