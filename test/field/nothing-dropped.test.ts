import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStage, startedAt } from '../support/e2e-stage';
import { AUTOMATIC, nginxService, SITE, type Service } from '../support/e2e-services';
import { announce, endOfUpdate, mailsAbout, pageOf, type UpdateTold } from '../support/e2e-updates';
import type { ComposeProject } from '../lab/compose';
import { LIVE_NGINX_SITE } from '../lab/images/recipes';
import type { Pilot } from '../lab/pilot';

// Settings and files that other tools drop without a word when they recreate a container.
jest.setTimeout(900_000);

const stage = openStage();
const tagOf = (service: string): string => `field-kept/${service}:stable`;

let pilot: Pilot;

beforeAll(async () => {
  pilot = await stage.pilot();
});

const imageOf = (service: string): string => stage.lab.registry.reference(tagOf(service));

/** A project whose first service runs an image of its own tag. */
async function projectOf(name: string, service: object, top: object = {}, files: Record<string, string> = {}) {
  await stage.lab.registry.publishAndPull(stage.lab.images.NGINX_GOOD_1, tagOf(name));
  const first = { ...nginxService(imageOf(name)), ...service } as Service;
  return stage.project(name, { [name]: first, ...others(top) }, { top: topOf(top), files: { ...SITE, ...files } });
}

function others(top: object): Record<string, Service> {
  return (top as { services?: Record<string, Service> }).services ?? {};
}

function topOf(top: object): object {
  return Object.fromEntries(Object.entries(top).filter(([field]) => field !== 'services'));
}

/** Publishes the next version of a service and waits for the end of its update. */
async function updated(project: ComposeProject, service: string, mark: string): Promise<UpdateTold> {
  const image = await stage.lab.variantOf(stage.lab.images.NGINX_GOOD_2, mark);
  const digest = await stage.lab.registry.publish(image, tagOf(service));
  await announce(pilot, imageOf(service), digest);
  return endOfUpdate(pilot, await project.containerName(service), digest, 600_000);
}

async function expectRefusedUntouched(project: ComposeProject, service: string, reason: RegExp): Promise<UpdateTold> {
  const before = await project.container(service);
  const update = await updated(project, service, `${service}-refused`);
  expect(update).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(reason) } });
  const after = await project.container(service);
  expect([after['Id'], startedAt(after)]).toEqual([before['Id'], startedAt(before)]);
  return update;
}

const detailOf = (update: UpdateTold, step: string): string =>
  (update['steps'] as { name: string; detail: string }[]).find(({ name }) => name === step)?.detail ?? '';

it('keeps the configs and secrets that Compose wrote into the container, with owner and mode, update after update', async () => {
  const project = await projectOf(
    'configs',
    {
      volumes: [],
      configs: [{ source: 'site', target: '/etc/nginx/conf.d/site.conf', uid: '33', gid: '33', mode: 0o440 }],
      secrets: ['password'],
    },
    {
      configs: { site: { content: LIVE_NGINX_SITE.replace('location / {', 'location / { add_header X-Site own;') } },
      secrets: { password: { environment: 'SITE_PASSWORD' } },
    },
    { '.env': 'SITE_PASSWORD=top-secret\n' },
  );
  const look = () =>
    project.exec(
      'configs',
      'sh',
      '-c',
      'stat -c "%n %a %u %g" /etc/nginx/conf.d/site.conf /run/secrets/password; cat /run/secrets/password; nginx -T 2>/dev/null | grep -c X-Site',
    );
  const before = await look();
  expect(before).toContain('site.conf 440 33 33');
  expect(before).toContain('top-secret');
  for (const mark of ['configs-once', 'configs-twice']) {
    const update = await updated(project, 'configs', mark);
    expect(update).toMatchObject({ status: 'succeeded', error: null });
    expect(detailOf(update, 'preflight')).toContain('nginx -t passes');
    expect(await look()).toBe(before);
    await pageOf(project, 'configs');
  }
});

it('refuses an update whose backup paths are not in a volume, since they would be lost with the container', async () => {
  const labels = { ...AUTOMATIC, 'backup.kind': 'files', 'backup.paths': '/data' };
  const project = await projectOf('unmounted', { labels });
  await project.exec('unmounted', 'sh', '-c', 'mkdir -p /data && echo precious > /data/file');
  await expectRefusedUntouched(project, 'unmounted', /backup\.paths: \/data is not in a volume/);
  expect(await project.exec('unmounted', 'cat', '/data/file')).toContain('precious');
});

it('warns of files in the layer of the container, in the plan and in the update, and leaves out temporary ones', async () => {
  const project = await projectOf('layer', { labels: { ...AUTOMATIC, 'update.policy': 'manual' } });
  const name = await project.containerName('layer');
  await project.exec('layer', 'sh', '-c', 'mkdir -p /srv/app && echo x > /srv/app/uploads.db && echo y > /tmp/t.bin');
  const digest = await stage.lab.registry.publish(stage.lab.images.NGINX_GOOD_2, tagOf('layer'));
  await announce(pilot, imageOf('layer'), digest);
  const asked = await endOfUpdate(pilot, name, digest);
  expect(asked['status']).toBe('awaiting_approval');
  await mailsAbout(pilot, name, 1);
  const mail = (await pilot.mails()).find(({ subject }) => subject?.includes(name));
  expect(mail?.text?.replaceAll(/\s+/g, ' ')).toContain('/srv/app/uploads.db');
  expect(mail?.text).not.toContain('/tmp/t.bin');
});

it('keeps the platform of a container, though the index has that of the host as well', async () => {
  const { lab } = stage;
  const [old386, new386] = await Promise.all([as386('NGINX_GOOD_1'), as386('NGINX_GOOD_2')]);
  const indexOf = (i386: string, amd64: string) =>
    lab.registry.publishIndex(tagOf('platform'), [
      { image: amd64, platform: { os: 'linux', architecture: 'amd64' } },
      { image: i386, platform: { os: 'linux', architecture: '386' } },
    ]);
  await indexOf(old386, lab.images.NGINX_GOOD_1);
  await lab.docker.run(['pull', '--quiet', '--platform', 'linux/386', imageOf('platform')]);
  const project = await stage.project(
    'platform',
    { platform: nginxService(imageOf('platform'), AUTOMATIC, { platform: 'linux/386' }) },
    { files: SITE },
  );
  expect(await architectureOf(project)).toBe('386');
  const digest = await indexOf(new386, lab.images.NGINX_GOOD_2);
  await announce(pilot, imageOf('platform'), digest);
  const update = await endOfUpdate(pilot, await project.containerName('platform'), digest);
  expect(update).toMatchObject({ status: 'succeeded', error: null });
  expect(await architectureOf(project)).toBe('386');
  expect(await pageOf(project, 'platform')).toMatch(/^good-2 /);
});

it('refuses an index that no longer has the platform of the container', async () => {
  const project = await projectOf('gone', {});
  const image = await as386('NGINX_GOOD_2');
  const digest = await stage.lab.registry.publish(image, tagOf('gone'));
  const before = await project.container('gone');
  await announce(pilot, imageOf('gone'), digest);
  const update = await endOfUpdate(pilot, await project.containerName('gone'), digest);
  expect(update).toMatchObject({
    status: 'failed',
    error: { code: 'recreate_refused', message: expect.stringMatching(/platform: .*linux\/amd64.*linux\/386/) },
  });
  expect(startedAt(await project.container('gone'))).toBe(startedAt(before));
});

it('keeps the MAC address of the second network', async () => {
  const networks = { back: {}, front: { mac_address: '02:aa:bb:cc:dd:09' } };
  const project = await projectOf('macs', { networks }, { networks: { front: {}, back: {} } });
  const macs = async () =>
    Object.values(
      (await project.container('macs'))['NetworkSettings'].Networks as Record<string, { MacAddress: string }>,
    )
      .map(({ MacAddress }) => MacAddress)
      .filter((mac) => mac.startsWith('02:aa'));
  expect((await project.container('macs'))['HostConfig'].NetworkMode).toContain('_back');
  expect(await macs()).toEqual(['02:aa:bb:cc:dd:09']);
  expect(await updated(project, 'macs', 'macs')).toMatchObject({ status: 'succeeded' });
  expect(await macs()).toEqual(['02:aa:bb:cc:dd:09']);
});

it('keeps the volumes of volumes_from, whose container was replaced by its own update', async () => {
  const watched = (service: string) => ({ ...nginxService(imageOf(service)), restart: 'always' });
  await stage.lab.registry.publishAndPull(stage.lab.images.NGINX_GOOD_1, tagOf('reader'));
  const project = await projectOf(
    'owner',
    { volumes: ['./conf:/etc/nginx/conf.d:ro', 'shared:/shared'] },
    {
      services: { reader: { ...watched('reader'), volumes: [], volumes_from: ['owner:ro'] } },
      volumes: { shared: {} },
    },
  );
  await project.exec('owner', 'sh', '-c', 'echo kept > /shared/file');
  expect(await updated(project, 'owner', 'owner')).toMatchObject({ status: 'succeeded' });
  const mountsOf = async () =>
    ((await project.container('reader'))['Mounts'] as { Destination: string; RW: boolean }[])
      .map(({ Destination, RW }) => `${Destination} ${RW}`)
      .sort();
  const before = await mountsOf();
  expect(await updated(project, 'reader', 'reader')).toMatchObject({ status: 'succeeded', error: null });
  expect(await mountsOf()).toEqual(before);
  expect(await project.exec('reader', 'cat', '/shared/file')).toContain('kept');
});

it.each(['pid', 'ipc'])('refuses to replace a container that lends its %s namespace', async (kind) => {
  const service = `lends-${kind}`;
  const sidecar = { image: imageOf(service), command: ['sleep', '1000'], [kind]: `service:${service}`, labels: {} };
  const project = await projectOf(service, kind === 'ipc' ? { ipc: 'shareable' } : {}, {
    services: { sidecar: sidecar as Service },
  });
  await expectRefusedUntouched(project, service, new RegExp(`${kind}: .*sidecar.* would lose it`));
  expect((await project.container('sidecar'))['State'].Running).toBe(true);
});

it('refuses a service with post_start hooks, which only Compose runs', async () => {
  const project = await projectOf('hooks', {});
  // Compose of the lab is older than the hooks; the running container does not show them in any version.
  const before = JSON.parse(await readOf(project)) as { services: Record<string, object> };
  const services = { hooks: { ...before.services['hooks'], post_start: [{ command: ['touch', '/ready'] }] } };
  project.write(JSON.stringify({ ...before, services }));
  await expectRefusedUntouched(project, 'hooks', /post_start: .*only Compose runs/);
});

it('says that a server under a shell was killed at its handover, and does not say that it drained', async () => {
  const command = ['sh', '-c', 'nginx -g "daemon off;"; true'];
  const labels = { ...AUTOMATIC, 'update.strategy': 'handover' };
  const service = { labels, command, ports: [], stop_grace_period: '1s', networks: ['front'] };
  const project = await projectOf('shell', service, { networks: { front: {} } });
  const update = await updated(project, 'shell', 'shell');
  expect(update).toMatchObject({ status: 'succeeded' });
  const detail = detailOf(update, 'health_check');
  expect(detail).toMatch(/was killed.*exit code 137/);
  expect(detail).not.toContain('has drained');
});

async function readOf(project: ComposeProject): Promise<string> {
  return readFile(project.file, 'utf8');
}

async function architectureOf(project: ComposeProject): Promise<string> {
  const { Image } = await project.container('platform');
  return String((await stage.lab.docker.inspect('image', String(Image)))?.['Architecture']);
}

/** The same files under another platform: the kernel runs them all the same. */
async function as386(image: 'NGINX_GOOD_1' | 'NGINX_GOOD_2'): Promise<string> {
  const { docker, id, images } = stage.lab;
  const tag = `${id}/${image.toLowerCase()}-386:1`;
  const file = join(stage.lab.scratch('386'), 'files.tar');
  const container = (await docker.run(['create', images[image]])).trim();
  await docker.run(['export', '--output', file, container]);
  await docker.run(['rm', container]);
  const changes = ['ENTRYPOINT ["/docker-entrypoint.sh"]', 'CMD ["nginx", "-g", "daemon off;"]', 'EXPOSE 80'];
  const options = changes.flatMap((change) => ['--change', change]);
  await docker.run(['import', '--platform', 'linux/386', ...options, file, tag]);
  stage.closing(() => docker.attempt(['rmi', '--force', tag]));
  return tag;
}
