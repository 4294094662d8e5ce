import { openEdgeProject } from '../support/e2e-edge';
import { imageNamed, namesOf, openStage, startedAt } from '../support/e2e-stage';
import { announce, endOfUpdate, mailsAbout, pageOf, stepsOf } from '../support/e2e-updates';
import { steadyLoad, type Answered } from '../support/steady-load';
import type { ComposeProject } from '../lab/compose';
import type { ImageName } from '../lab/images/recipes';
import type { Pilot } from '../lab/pilot';

// nginx behind `edge`, asked about a hundred times a second, a fresh connection each, through everything that follows.
const stage = openStage();
const RATE = 100;
const TAG = 'handover/nginx:stable';

let pilot: Pilot;
let web: ComposeProject;
let name: string;

beforeAll(async () => {
  web = await openEdgeProject(stage, 'handover', TAG);
  name = await web.containerName('nginx');
  await pageOf(web, 'edge');
  pilot = await stage.pilot();
});

/** An update while requests come in: the container before and after it, the update, and every answer. */
async function updatedUnderLoad(image: ImageName) {
  const { lab } = stage;
  const before = await web.container('nginx');
  const load = steadyLoad(await web.url('edge', 80), RATE);
  const digest = await lab.registry.publish(lab.images[image], TAG);
  await announce(pilot, lab.registry.reference(TAG), digest);
  const update = await endOfUpdate(pilot, name, digest);
  const answers = await load.stop();
  const names = (await namesOf(lab, web)).filter((found) => found.startsWith(name));
  expect(names).toEqual([name]);
  const after = await web.container('nginx');
  expect(await imageNamed(lab, lab.registry.reference(TAG))).toBe(after['Image']);
  return { before, update, answers, after };
}

function expectNoneLost(answers: Answered[]): void {
  expect(answers.length).toBeGreaterThan(RATE);
  expect(answers.filter(({ ok }) => !ok)).toEqual([]);
}

it('an image that the live configuration does not fit: failed at preflight, and not one request is lost', async () => {
  const { before, update, answers, after } = await updatedUnderLoad('NGINX_CONFIG_BREAKING');
  expect(update).toMatchObject({ status: 'failed', error: { code: 'preflight_failed' } });
  expectNoneLost(answers);
  expect([after['Id'], startedAt(after)]).toEqual([before['Id'], startedAt(before)]);
});

it('an image that never becomes healthy: the old one was never stopped, and not one request is lost', async () => {
  const { before, update, answers, after } = await updatedUnderLoad('NGINX_NEVER_HEALTHY');
  expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
  expect(stepsOf(update).slice(3)).toEqual([
    'recreate succeeded',
    'health_check failed',
    'rollback succeeded',
    'rollback_health_check succeeded',
  ]);
  expectNoneLost(answers);
  expect([after['Id'], startedAt(after), after['State'].Running]).toEqual([before['Id'], startedAt(before), true]);
  expect(await mailsAbout(pilot, name, 4)).toContainEqual(expect.stringContaining('the old version kept running'));
});

it('a good image: it takes over from the old one, and not one request is lost', async () => {
  const { before, update, answers, after } = await updatedUnderLoad('NGINX_GOOD_2');
  expect(update).toMatchObject({ status: 'succeeded', error: null });
  expect(stepsOf(update).slice(3)).toEqual(['recreate succeeded', 'health_check succeeded', 'cleanup succeeded']);
  expectNoneLost(answers);
  const versions = answers.map(({ said }) => said.slice(0, 6));
  expect([versions[0], versions.at(-1)]).toEqual(['good-1', 'good-2']);
  expect(await stage.lab.docker.inspect('container', String(before['Id']))).toBeNull();
  expect(after['HostConfig'].NetworkMode).toBe(before['HostConfig'].NetworkMode);
});

it('leaves nothing for docker compose up -d to do', async () => {
  const before = await web.container('nginx');
  const { recreated, untouched } = await web.up();
  expect([recreated, untouched.sort()]).toEqual([[], ['edge', 'nginx']]);
  expect((await web.container('nginx'))['Id']).toBe(before['Id']);
});
