import type { ComposeProject } from '../lab/compose';
import { startDiun } from '../lab/diun/diun';
import type { Pilot } from '../lab/pilot';
import { nginxService, SITE } from '../support/e2e-services';
import { imageNamed, openStage } from '../support/e2e-stage';
import { endOfUpdate, mailsAbout, pageOf } from '../support/e2e-updates';

// The whole path: a new image in the registry, Diun (the real one where it can be had) that sees it, and the update.
const stage = openStage();
const TAG = 'diun/web:stable';
const MULTI = 'diun/web:multi';

let web: ComposeProject;
let pilot: Pilot;
let old: Record<string, string>;

const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
const otherPlatform = { os: 'linux', architecture: process.arch === 'arm64' ? 'amd64' : 'arm64' };

async function publishMulti(own: string, other: string): Promise<string> {
  return stage.lab.registry.publishIndex(MULTI, [
    { image: other, platform: otherPlatform },
    { image: own, platform },
  ]);
}

beforeAll(async () => {
  const { lab } = stage;
  const { registry, images, docker } = lab;
  await registry.publishAndPull(images.NGINX_GOOD_1, TAG);
  await publishMulti(images.NGINX_GOOD_1, images.NGINX_GOOD_2);
  await docker.run(['pull', '--quiet', registry.reference(MULTI)]);
  const stable = nginxService(registry.reference(TAG));
  const services = { one: stable, two: stable, multi: nginxService(registry.reference(MULTI)) };
  web = await stage.project('diun', services, { files: SITE });
  old = { one: await idOf('one'), two: await idOf('two'), multi: await idOf('multi') };
  pilot = await stage.pilot();
  const diun = await startDiun(lab, {
    baseUrl: pilot.url,
    token: pilot.webhookToken,
    say: (line) => process.stderr.write(`${line}\n`),
  });
  stage.closing(() => diun.stop());
});

const idOf = async (service: string): Promise<string> => String((await web.container(service))['Id']);

it('updates every container of a tag that has a new digest, each once', async () => {
  const { lab } = stage;
  const digest = await lab.registry.publish(lab.images.NGINX_GOOD_2, TAG);
  const wanted = await imageNamed(lab, lab.images.NGINX_GOOD_2);
  for (const service of ['one', 'two']) {
    const name = await web.containerName(service);
    expect(await endOfUpdate(pilot, name, digest)).toMatchObject({ status: 'succeeded', source: 'diun' });
    expect((await web.container(service))['Image']).toBe(wanted);
    expect(await lab.docker.inspect('container', String(old[service]))).toBeNull();
    expect(await pageOf(web, service)).toMatch(/^good-2 /);
    expect(await pilot.updates(`?container=${name}`)).toHaveLength(1);
    expect(await mailsAbout(pilot, name, 1)).toHaveLength(1);
  }
  expect(await imageNamed(lab, lab.registry.reference(TAG))).toBe(wanted);
});

it('takes a multi-platform tag by the digest of its index, and runs its own platform', async () => {
  const { lab } = stage;
  const { images, docker, registry } = lab;
  const digest = await publishMulti(images.NGINX_GOOD_2, images.NGINX_GOOD_1);
  const name = await web.containerName('multi');
  expect(await endOfUpdate(pilot, name, digest)).toMatchObject({ status: 'succeeded', to: { digest } });
  expect((await web.container('multi'))['Image']).toBe(await imageNamed(lab, images.NGINX_GOOD_2));
  expect((await web.container('multi'))['Config'].Image).toBe(registry.reference(MULTI));
  expect((await docker.inspect('image', registry.reference(MULTI)))?.['RepoDigests']).toContain(
    `${registry.reference('diun/web')}@${digest}`,
  );
});

it('leaves nothing for docker compose up -d to do', async () => {
  const before = { one: await idOf('one'), two: await idOf('two'), multi: await idOf('multi') };
  expect(await web.up()).toEqual({
    created: [],
    recreated: [],
    untouched: expect.arrayContaining(Object.keys(before)),
  });
  expect({ one: await idOf('one'), two: await idOf('two'), multi: await idOf('multi') }).toEqual(before);
});
