import { readFileSync } from 'node:fs';
import type { ComposeProject } from '../lab/compose';
import { about, recordedRequest, send, type RecordedAnswer } from '../lab/diun/recorded-requests';
import type { Pilot } from '../lab/pilot';
import { diunRequestNames } from '../support/diun-requests';
import { eventually } from '../support/eventually';
import { AUTOMATIC, nginxService, SITE } from '../support/e2e-services';
import { imageNamed, openStage } from '../support/e2e-stage';
import { endOfUpdate, mailsAbout, type UpdateTold } from '../support/e2e-updates';

// Every request that was recorded from the real Diun gets the answer and the decision that its situation asks for.
const stage = openStage();
const REPOSITORY = 'requests/nginx';
const tested = new Set<string>();

let web: ComposeProject;
let pilot: Pilot;

const reference = (tag: string): string => stage.lab.registry.reference(`${REPOSITORY}:${tag}`);
const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };

beforeAll(async () => {
  const { registry, images, docker } = stage.lab;
  for (const tag of ['stable', '1.27.3']) await registry.publishAndPull(images.NGINX_GOOD_1, `${REPOSITORY}:${tag}`);
  await registry.publishIndex(`${REPOSITORY}:multi`, [{ image: images.NGINX_GOOD_1, platform }]);
  await docker.run(['pull', '--quiet', reference('multi')]);
  const watching = { ...AUTOMATIC, 'diun.watch_repo': 'true', 'diun.include_tags': '^\\d+\\.\\d+\\.\\d+$' };
  const services = {
    nginx: nginxService(reference('stable')),
    'nginx-b': nginxService(reference('stable')),
    multi: nginxService(reference('multi')),
    pinned: nginxService(reference('1.27.3'), watching),
  };
  web = await stage.project('requests', services, { files: SITE });
  pilot = await stage.pilot();
});

function replay(name: string, values: Record<string, string>): Promise<RecordedAnswer> {
  tested.add(name);
  return send(about(recordedRequest(name), values), pilot.url, `Bearer ${pilot.webhookToken}`);
}

async function newest(query: string): Promise<UpdateTold> {
  return eventually(`an update ${query}`, async () => (await pilot.updates(query))[0] as UpdateTold | undefined);
}

it('one request for each of two containers, at once: one of them is a duplicate, and each container is updated once', async () => {
  const { lab } = stage;
  const digest = await lab.registry.publish(lab.images.NGINX_GOOD_2, `${REPOSITORY}:stable`);
  const about = { image: reference('stable'), digest };
  const answers = await Promise.all([
    replay('update-same-tag-first-container', about),
    replay('update-same-tag-second-container', about),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([202, 202]);
  const said = answers.map(({ body }) => JSON.parse(body) as { webhook: string; duplicate: boolean });
  expect(said.map(({ duplicate }) => duplicate).sort()).toEqual([false, true]);
  for (const service of ['nginx', 'nginx-b']) {
    const name = await web.containerName(service);
    expect(await endOfUpdate(pilot, name, digest)).toMatchObject({ status: 'succeeded' });
    expect((await web.container(service))['Image']).toBe(await imageNamed(lab, lab.images.NGINX_GOOD_2));
    expect(await pilot.updates(`?container=${name}`)).toHaveLength(1);
  }
  // It watches the repository, so it hears of this tag, too, which is none of those that it wants.
  const others = (await pilot.updates(`?container=${await web.containerName('pinned')}`)) as UpdateTold[];
  expect(others.map(({ status }) => String(status))).toEqual(['ignored']);
});

it('a new index of a multi-platform tag: an update to the digest of the index', async () => {
  const { lab } = stage;
  const digest = await lab.registry.publishIndex(`${REPOSITORY}:multi`, [{ image: lab.images.NGINX_GOOD_2, platform }]);
  expect((await replay('update-index', { image: reference('multi'), digest })).status).toBe(202);
  expect(await endOfUpdate(pilot, await web.containerName('multi'), digest)).toMatchObject({ status: 'succeeded' });
});

it('a first sight of what runs already: ignored, with the reason', async () => {
  const name = await web.containerName('multi');
  const before = await web.container('multi');
  const { digest } = (await stage.lab.registry.tagged(`${REPOSITORY}:multi`))!;
  expect((await replay('new-first-sight-of-a-running-tag', { image: reference('multi'), digest })).status).toBe(202);
  const { reason } = await newest(`?container=${name}&status=ignored`);
  expect(reason).toMatch(/already runs .*nothing to do/);
  expect((await web.container('multi'))['Id']).toBe(before['Id']);
});

it('a new tag of a watched repository: the container that watches it goes there, and the compose file names it', async () => {
  const { lab } = stage;
  const digest = await lab.registry.publish(
    await lab.variantOf(lab.images.NGINX_GOOD_2, '1.27.5'),
    `${REPOSITORY}:1.27.5`,
  );
  expect((await replay('new-tag', { image: reference('1.27.5'), digest })).status).toBe(202);
  const name = await web.containerName('pinned');
  const update = await endOfUpdate(pilot, name, digest);
  expect(update).toMatchObject({ status: 'succeeded', from: { reference: reference('1.27.3') } });
  expect(update['to']).toEqual({ reference: reference('1.27.5'), digest });
  const change = `In ${web.file} or the .env file read with it, change the image of the service pinned from ${reference('1.27.3')} to ${reference('1.27.5')}`;
  expect(update['followUp']).toBeNull();
  expect(readFileSync(web.file, 'utf8')).toContain(`"image": "${reference('1.27.5')}"`);
  await mailsAbout(pilot, name, 1);
  const mail = (await pilot.mails()).find(({ subject }) => subject?.includes(name));
  expect(mail?.text?.replace(/\s+/g, ' ')).toContain(change);
  const after = await web.container('pinned');
  expect(after['Config'].Image).toBe(reference('1.27.5'));
  expect(await imageNamed(lab, reference('1.27.5'))).toBe(after['Image']);
  expect(await imageNamed(lab, reference('1.27.3'))).toBe(await imageNamed(lab, lab.images.NGINX_GOOD_1));
});

it('the test notification: accepted, and shown as what it is', async () => {
  expect((await replay('notif-test', {})).status).toBe(202);
  const shown = async () =>
    ((await pilot.updates('?status=ignored')) as UpdateTold[]).find(({ to }) => to.reference.includes('testnotif'));
  const update = await eventually('it is shown', shown);
  expect(update).toMatchObject({ container: null, reason: expect.stringContaining('test notification') });
});

it('a GET, which is what Diun sends unless told otherwise: refused with the line that mends it', async () => {
  tested.add('default-method-get');
  const before = (await pilot.updates()).length;
  const answer = await send(recordedRequest('default-method-get'), pilot.url, null);
  expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
  expect(answer.body).toContain('method: POST');
  expect(await pilot.updates()).toHaveLength(before);
});

it('that is every request there is, but for those about services (e2e/swarm.second-engine)', () => {
  const about = diunRequestNames().filter((name) => !name.includes('swarm-service'));
  expect([...tested].sort()).toEqual(about.sort());
});
