import type { ComposeProject } from '../lab/compose';
import type { Inspected } from '../lab/engine/docker-cli';
import { freePort } from '../lab/free-port';
import { whatMustBeKept } from '../support/e2e-kept';
import { nginxService, SITE } from '../support/e2e-services';
import { openStage } from '../support/e2e-stage';
import { announce, endOfUpdate } from '../support/e2e-updates';

// One container that uses all that Compose can say of it, updated: every field of its inspect result is compared.
const stage = openStage();
const TAG = 'kept/web:stable';
const subnet = `10.231.${process.pid % 250}`;

let web: ComposeProject;
let before: Inspected;
let after: Inspected;
let kept: { before: Record<string, unknown>; after: Record<string, unknown> };
let port: number;

const labels = {
  'diun.enable': 'true',
  'update.policy': 'automatic',
  'update.probe.timeout': '60s',
  'com.example.owner': 'ops, not "dev"',
};

function everything(): object {
  return {
    hostname: 'web-host',
    environment: { PLAIN: '1', EQUALS: 'a=b=c', EMPTY: '', UNICODE: 'grüße' },
    ports: [`127.0.0.1:${port}:80`, '127.0.0.1::8081/udp'],
    volumes: ['./conf:/etc/nginx/conf.d:ro', 'named:/named', '/anonymous', 'readonly:/readonly:ro'],
    tmpfs: ['/scratch:size=1m,mode=1777'],
    networks: {
      front: { aliases: ['shop', 'www'], ipv4_address: `${subnet}.77` },
      back: { aliases: ['inner'] },
    },
    restart: 'on-failure:7',
    healthcheck: {
      test: ['CMD', 'curl', '-fsS', 'http://127.0.0.1/'],
      ...{ interval: '1s', timeout: '2s', retries: 9, start_period: '20s' },
    },
    cap_add: ['NET_ADMIN'],
    cap_drop: ['MKNOD', 'AUDIT_WRITE'],
    ulimits: { nofile: { soft: 2048, hard: 4096 }, nproc: 512 },
    security_opt: ['no-new-privileges:true'],
    sysctls: { 'net.core.somaxconn': '512' },
    devices: ['/dev/zero:/dev/lab-zero:r'],
    extra_hosts: ['db.example:10.9.8.7'],
    dns: ['10.9.8.6'],
    ...{ stop_signal: 'SIGTERM', stop_grace_period: '7s', init: true, working_dir: '/tmp', shm_size: '32m' },
    ...{ mem_limit: '256m', pids_limit: 200, oom_score_adj: 100, group_add: ['1234'], cpu_shares: 512 },
    logging: { driver: 'json-file', options: { 'max-size': '1m', 'max-file': '2' } },
  };
}

beforeAll(async () => {
  const { lab } = stage;
  port = await freePort();
  await lab.registry.publishAndPull(lab.images.NGINX_GOOD_1, TAG);
  const reference = lab.registry.reference(TAG);
  const top = {
    networks: { front: { ipam: { config: [{ subnet: `${subnet}.0/24` }] } }, back: {} },
    volumes: { named: {}, readonly: {} },
  };
  web = await stage.project('kept', { web: nginxService(reference, labels, everything()) }, { files: SITE, top });
  await web.exec('web', 'sh', '-c', 'echo named > /named/file; echo anonymous > /anonymous/file');
  before = await web.container('web');
  const pilot = await stage.pilot();
  const digest = await lab.registry.publish(lab.images.NGINX_GOOD_2, TAG);
  await announce(pilot, reference, digest);
  expect(await endOfUpdate(pilot, await web.containerName('web'), digest)).toMatchObject({ status: 'succeeded' });
  after = await web.container('web');
  const [good1, good2] = [await imageConfig(lab.images.NGINX_GOOD_1), await imageConfig(lab.images.NGINX_GOOD_2)];
  kept = { before: whatMustBeKept(before, good1), after: whatMustBeKept(after, good2) };
});

async function imageConfig(image: string): Promise<Inspected> {
  return (await stage.lab.docker.inspect('image', image))?.['Config'] as Inspected;
}

it('is another container on another image', () => {
  expect(after['Id']).not.toBe(before['Id']);
  expect(after['Image']).not.toBe(before['Image']);
});

it.each(['name', 'reference', 'hostname', 'environment', 'config', 'hostConfig', 'mounts', 'networks'])(
  'keeps %s',
  (field) => {
    expect(kept.after[field]).toEqual(kept.before[field]);
  },
);

it('keeps the labels, but for those that came from the image', () => {
  const fromImages = /^org\.opencontainers\.image\./;
  const own = (side: 'before' | 'after') =>
    Object.fromEntries(Object.entries(kept[side]['labels'] as object).filter(([label]) => !fromImages.test(label)));
  expect(own('after')).toEqual(own('before'));
  expect(own('after')).toMatchObject(labels);
});

it('keeps addresses, ports and data at work, not only in words', async () => {
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toMatch(/^good-2 /);
  expect(await (await fetch(`http://${subnet}.77/`)).text()).toMatch(/^good-2 /);
  expect(await web.exec('web', 'cat', '/named/file', '/anonymous/file')).toBe('named\nanonymous');
  expect(await web.exec('web', 'sh', '-c', 'hostname; ulimit -n; cat /proc/sys/net/core/somaxconn')).toBe(
    'web-host\n2048\n512',
  );
});

it('is left alone by docker compose up -d', async () => {
  expect(await web.up()).toEqual({ created: [], recreated: [], untouched: ['web'] });
  expect((await web.container('web'))['Id']).toBe(after['Id']);
});
