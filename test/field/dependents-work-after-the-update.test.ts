import type { ComposeProject } from '../lab/compose';
import type { ImageName } from '../lab/images/recipes';
import type { Pilot } from '../lab/pilot';
import { AUTOMATIC, nginxService, type Service } from '../support/e2e-services';
import { openStage, startedAt } from '../support/e2e-stage';
import { announce, endOfUpdate, pageAt, type UpdateTold } from '../support/e2e-updates';

// Reported: an nginx with `proxy_pass http://app:8080` keeps the address that it resolved when it started. The app got another
// address in its update, nginx answered 502 or 504, and the verdict was `succeeded`.
jest.setTimeout(900_000);

const stage = openStage();
let pilot: Pilot;
beforeAll(async () => {
  pilot = await stage.pilot();
}, 600_000);

const APP_SITE = 'server { listen 8080; root /usr/share/nginx/html; }';
const FRONT_SITE = 'server { listen 80; server_name _; location / { proxy_pass http://app:8080; } }';

interface Proxied {
  project: ComposeProject;
  /** Of the page that the app serves, through nginx. */
  page: () => Promise<string>;
  address: () => Promise<string>;
  front: () => Promise<{ id: string; startedAt: string }>;
  update: (to: ImageName) => Promise<UpdateTold>;
}

/** The address below that of the app is free when it is updated, and Docker gives out the lowest one. */
async function aProxied(name: string, front: object, app: object = {}): Promise<Proxied> {
  const { lab } = stage;
  const tag = `${name}/app:stable`;
  await lab.registry.publishAndPull(lab.images.NGINX_GOOD_1, tag);
  const image = lab.registry.reference(tag);
  const services: Record<string, Service> = {
    first: { image, labels: {}, command: ['sleep', '3600'], stop_grace_period: '0s' },
    app: {
      ...{ image, labels: AUTOMATIC, depends_on: ['first'], volumes: ['./app:/etc/nginx/conf.d:ro'] },
      ...app,
    },
    front: nginxService(lab.images.NGINX_GOOD_1, { 'update.probe.timeout': '10s' }, front),
    worker: { image: lab.images.DEBIAN_13, labels: {}, command: ['sleep', '3600'], init: true, ...front },
  };
  const files = { 'app/site.conf': APP_SITE, 'conf/site.conf': FRONT_SITE };
  const project = await stage.project(name, services, { files });
  const url = await project.url('front', 80);
  const page = (): Promise<string> => pageAt(url);
  expect(await page()).toContain('good-1');
  await project.compose(['rm', '--stop', '--force', 'first']);
  const networks = async (): Promise<{ IPAddress: string }[]> =>
    Object.values((await project.container('app'))['NetworkSettings'].Networks);
  return {
    ...{ project, page },
    address: async () => (await networks())[0]?.IPAddress ?? '',
    front: async () => {
      const container = await project.container('front');
      return { id: String(container['Id']), startedAt: startedAt(container) };
    },
    update: async (to) => {
      const digest = await lab.registry.publish(lab.images[to], tag);
      await announce(pilot, image, digest);
      return endOfUpdate(pilot, await project.containerName('app'), digest, 300_000);
    },
  };
}

const detailOf = (update: UpdateTold, step: string): string =>
  (update['steps'] as { name: string; detail: string }[]).find(({ name }) => name === step)?.detail ?? '';

it('reloads nginx and restarts the worker, which depend on the app with restart: true', async () => {
  const order = { depends_on: { app: { condition: 'service_started', restart: true } } };
  const proxied = await aProxied('ordered', order);
  const [address, front] = [await proxied.address(), await proxied.front()];
  const worker = startedAt(await proxied.project.container('worker'));
  const update = await proxied.update('NGINX_GOOD_2');
  expect(update).toMatchObject({ status: 'succeeded' });
  expect(await proxied.address()).not.toBe(address);
  expect(await proxied.page()).toContain('good-2');
  expect(await proxied.front()).toEqual(front);
  expect(startedAt(await proxied.project.container('worker'))).not.toBe(worker);
  expect(detailOf(update, 'preflight')).toMatch(/front-1 will be reloaded/);
  expect(detailOf(update, 'health_check')).toMatch(/front-1 was reloaded.*answered as before the update/s);
});

it('reloads nginx without restart: true as well, since it would keep the old address, and restarts nothing', async () => {
  const proxied = await aProxied('plain', { depends_on: ['app'] });
  const [address, front] = [await proxied.address(), await proxied.front()];
  const worker = startedAt(await proxied.project.container('worker'));
  const update = await proxied.update('NGINX_GOOD_2');
  expect(update).toMatchObject({ status: 'succeeded' });
  expect(await proxied.address()).not.toBe(address);
  expect(await proxied.page()).toContain('good-2');
  expect(await proxied.front()).toEqual(front);
  expect(startedAt(await proxied.project.container('worker'))).toBe(worker);
  expect(detailOf(update, 'health_check')).toMatch(/front-1 was reloaded \(\S+-app-1 has another address\)/);
});

it('reloads nginx after a rollback, too: the old container has another address than before', async () => {
  const proxied = await aProxied('back', { depends_on: ['app'] });
  const address = await proxied.address();
  const update = await proxied.update('NGINX_CRASH_LOOPING');
  expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
  expect(await proxied.address()).not.toBe(address);
  expect(await proxied.page()).toContain('good-1');
  expect(detailOf(update, 'rollback_health_check')).toMatch(/front-1 was reloaded/);
});

it('rolls back a healthy new version that nginx cannot reach', async () => {
  // The probe is satisfied, but nothing listens on the port that nginx passes requests to.
  const moved =
    'if grep -q good-2 /usr/share/nginx/html/index.html; then sed s/8080/8081/ /site/site.conf; else cat /site/site.conf; fi';
  const app = {
    volumes: ['./app:/site:ro'],
    command: ['sh', '-c', `(${moved}) > /etc/nginx/conf.d/site.conf; exec nginx -g "daemon off;"`],
  };
  const proxied = await aProxied('unreachable', { depends_on: ['app'] }, app);
  const update = await proxied.update('NGINX_GOOD_2');
  expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'other_unhealthy' } });
  expect(update['error'].message).toMatch(/front-1, which depends on it: .*GET http:\/\/:80\/ answers 50[24]/);
  expect(await proxied.page()).toContain('good-1');
});
