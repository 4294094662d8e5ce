import { announce, endOf, endOfUpdate, stepsOf, updateTo, type UpdateTold } from '../support/e2e-updates';
import { linkInMail } from '../support/e2e-approvals';
import { AUTOMATIC, nginxService, SITE, type Service } from '../support/e2e-services';
import { namesOf, openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';
import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';

// One run each on the engine of what waits: a window, the age of a digest, a soak, and old images. The window opens at a minute,
// so the others run in the meantime.
const stage = openStage();
const LABELS: Record<string, () => Record<string, string>> = {
  window: () => ({ 'update.policy': 'manual', 'update.window': `${minute(opens)}-${minute(opens + 10 * 60_000)}` }),
  young: () => ({ 'update.min-age': '8s' }),
  soak: () => ({ 'update.soak': '10m' }),
  images: () => ({ 'update.keep-images': '1' }),
};
type Situation = keyof typeof LABELS;

let pilot: Pilot;
let web: ComposeProject;
let opens: number;

const minute = (at: number): string => new Date(at).toISOString().slice(11, 16);
const tagOf = (situation: Situation): string => `calm/${situation}:stable`;
const reference = (situation: Situation): string => stage.lab.registry.reference(tagOf(situation));

/** A new image of the tag that only the registry has; resolves with its digest. */
async function publish(situation: Situation, version: number): Promise<string> {
  const { lab } = stage;
  const local = `calm-${lab.id}-${situation}:${version}`;
  const container = await lab.docker.run(['create', lab.images.NGINX_GOOD_1]);
  await lab.docker.run(['commit', '--change', `LABEL calm.version=${version} calm.of=${local}`, container, local]);
  await lab.docker.run(['rm', container]);
  const digest = await lab.registry.publish(local, tagOf(situation));
  await lab.docker.run(['image', 'rm', local]);
  return digest;
}

async function update(situation: Situation, version: number): Promise<{ digest: string; name: string }> {
  const digest = await publish(situation, version);
  expect((await announce(pilot, reference(situation), digest)).status).toBe(202);
  return { digest, name: await web.containerName(situation) };
}

async function ends(situation: Situation, version: number): Promise<UpdateTold> {
  const { digest, name } = await update(situation, version);
  return endOfUpdate(pilot, name, digest);
}

const look = async (update: UpdateTold): Promise<UpdateTold> =>
  (await pilot.get(`/updates/${update['id']}`)) as UpdateTold;
const idOf = async (situation: Situation): Promise<string> => String((await web.container(situation))['Id']);
const namesFor = async (name: string): Promise<string[]> =>
  (await namesOf(stage.lab, web)).filter((found) => found.startsWith(name));

beforeAll(async () => {
  const { lab } = stage;
  // The first full minute that leaves the time for the approval.
  opens = Math.ceil((Date.now() + 30_000) / 60_000) * 60_000;
  const services: Record<string, Service> = {};
  for (const situation of Object.keys(LABELS)) {
    // The first image of `images` has no other name, so that it can be removed.
    if (situation === 'images') {
      await publish(situation, 1);
      await lab.docker.run(['pull', '--quiet', reference(situation)]);
    } else await lab.registry.publishAndPull(lab.images.NGINX_GOOD_1, tagOf(situation));
    services[situation] = nginxService(reference(situation), { ...AUTOMATIC, ...LABELS[situation]?.() });
  }
  web = await stage.project('calm', services, { files: SITE });
  pilot = await stage.pilot({ env: { TZ: 'UTC' } });
});

let waiting: UpdateTold;

it('approved for the window: it is queued until the window opens', async () => {
  const { digest, name } = await update('window', 2);
  const link = await linkInMail(pilot, name, digest);
  const path = new URL(link).pathname;
  const answer = await fetch(`${pilot.url}${path}`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ decision: 'window' }),
  });
  expect(answer.status).toBe(303);
  waiting = await updateTo(pilot, name, digest);
  expect(waiting).toMatchObject({ status: 'queued', notBefore: new Date(opens).toISOString() });
});

it('a young digest waits, and a newer one takes its place with an age of its own', async () => {
  const { digest, name } = await update('young', 2);
  const first = await updateTo(pilot, name, digest);
  expect(first).toMatchObject({ status: 'queued', notBefore: expect.any(String) });
  const newer = await update('young', 3);
  const second = await updateTo(pilot, name, newer.digest);
  expect((await look(first))['status']).toBe('superseded');
  expect(second['notBefore'] > first['notBefore']).toBe(true);
  const ended = await endOfUpdate(pilot, name, newer.digest);
  expect(ended).toMatchObject({ status: 'succeeded' });
  expect(ended['startedAt'] >= second['notBefore']).toBe(true);
});

it('healthy at first, it fails during its soak: the very container from before runs again', async () => {
  const before = await idOf('soak');
  const name = await web.containerName('soak');
  const succeeded = await ends('soak', 2);
  expect(succeeded).toMatchObject({ status: 'succeeded', soak: { status: 'watching', keptUntil: expect.any(String) } });
  const old = await stage.lab.docker.inspect('container', before);
  expect([old?.['State'].Running, old?.['HostConfig'].RestartPolicy.Name]).toEqual([false, 'no']);
  // Its main process ends, and its policy starts it again.
  await stage.lab.docker.run(['exec', name, 'nginx', '-s', 'stop']);
  await eventually('it is rolled back', async () => (await look(succeeded))['status'] !== 'succeeded');
  const ended = await endOf(pilot, String(succeeded['id']));
  expect(ended).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' }, soak: { status: 'ended' } });
  expect(ended['reason']).toMatch(/during its soak: it exited and was restarted 1 time/);
  expect(stepsOf(ended).slice(-2)).toEqual(['rollback succeeded', 'rollback_health_check succeeded']);
  const after = await web.container('soak');
  expect([after['Id'], after['State'].Running, after['HostConfig'].RestartPolicy.Name]).toEqual([
    before,
    true,
    'always',
  ]);
  expect(await namesFor(name)).toEqual([name]);
});

it('the third image is removed, and one of the same repository that diun-pilot did not replace is kept', async () => {
  const { docker } = stage.lab;
  const isThere = async (id: string): Promise<boolean> => (await docker.inspect('image', id)) !== null;
  const foreign = `${reference('images').replace(/:stable$/, '')}@${await publish('images', 0)}`;
  await docker.run(['pull', '--quiet', foreign]);
  const foreignId = String((await docker.inspect('image', foreign))?.['Id']);
  const ran = [String((await web.container('images'))['Image'])];
  for (const version of [2, 3]) {
    expect(await ends('images', version)).toMatchObject({ status: 'succeeded' });
    ran.push(String((await web.container('images'))['Image']));
  }
  await eventually('the first of them is removed', async () => !(await isThere(ran[0] ?? '')));
  expect([await isThere(ran[1] ?? ''), await isThere(ran[2] ?? ''), await isThere(foreignId)]).toEqual([
    true,
    true,
    true,
  ]);
  await docker.run(['image', 'rm', foreignId]);
});

it('the free space of the real engine is read in a watched container at the start, and reported if it is little', async () => {
  const looked = () => pilot.log().find(({ timer, message }) => timer === 'disk' && message === 'timer done');
  await eventually('the disk was looked at', () => looked() !== undefined);
  expect(looked()?.['outcome']).toMatch(/^\d+\.\d [KMGT]iB free\.$/);
  const { docker } = ((await (await fetch(`${pilot.url}/health`)).json()) as { checks: { docker: object } }).checks;
  const isLittle = /^(?:1\.\d GiB|[\d.]+ [KM]iB)/.test(String(looked()?.['outcome']));
  expect(JSON.stringify(docker).includes('nearly full')).toBe(isLittle);
});

it('the approved update ran once its window had opened', async () => {
  const ended = await endOf(pilot, String(waiting['id']));
  expect(ended).toMatchObject({ status: 'succeeded', approval: { status: 'approved' } });
  expect(Date.parse(ended['startedAt'])).toBeGreaterThanOrEqual(opens);
});
