import type { ComposeProject } from '../lab/compose';
import { LIVE_NGINX_SITE } from '../lab/images/recipes';
import { AUTOMATIC, nginxService, SITE } from '../support/e2e-services';
import { announce, endOfUpdate, pageOf } from '../support/e2e-updates';
import { detailOf, openKept } from '../support/field-kept';

// Settings and files that other tools drop without a word when they recreate a container.
jest.setTimeout(900_000);

const { stage, pilot, tagOf, imageOf, projectOf, updated, as386 } = openKept();

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
  await announce(pilot(), imageOf('platform'), digest);
  const update = await endOfUpdate(pilot(), await project.containerName('platform'), digest);
  expect(update).toMatchObject({ status: 'succeeded', error: null });
  expect(await architectureOf(project)).toBe('386');
  expect(await pageOf(project, 'platform')).toMatch(/^good-2 /);
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

async function architectureOf(project: ComposeProject): Promise<string> {
  const { Image } = await project.container('platform');
  return String((await stage.lab.docker.inspect('image', String(Image)))?.['Architecture']);
}
