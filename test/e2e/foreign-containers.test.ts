import type { ComposeProject } from '../lab/compose';
import { startDiun } from '../lab/diun/diun';
import type { Pilot } from '../lab/pilot';
import { runPilot } from '../support/e2e-cli';
import { engineProxy, type EngineProxy } from '../support/e2e-engine-proxy';
import { edgeServices, SHARED_SITE } from '../support/e2e-edge';
import { AUTOMATIC, nginxService } from '../support/e2e-services';
import { imageNamed, openStage, startedAt, type Stage } from '../support/e2e-stage';
import { endOfUpdate, pageOf } from '../support/e2e-updates';
import { eventually } from '../support/eventually';

// An engine on which others run containers that diun-pilot and Diun would act on: in the view that they get, these are not
// there. That it was not our service that did something is told by what it asked.
const stage = openStage();

let own: Stage;
let behind: EngineProxy;
let ours: ComposeProject;
let theirs: ComposeProject;
let pilot: Pilot;

const tag = (whose: string): string => `${whose}/nginx:stable`;

/** nginx that Diun watches and that is updated by itself, and the same in the network of `edge`. */
async function openProject(whose: string): Promise<ComposeProject> {
  const { registry, images } = stage.lab;
  const [web, guest] = [tag(whose), `${whose}/guest:stable`];
  for (const name of [web, guest]) await registry.publishAndPull(images.NGINX_GOOD_1, name);
  const guests = edgeServices(stage.lab, registry.reference(guest));
  const services = { web: nginxService(registry.reference(web), AUTOMATIC), ...guests };
  return stage.project(whose, services, { files: SHARED_SITE });
}

/** All by which it would show that somebody was here. */
async function stateOf(project: ComposeProject): Promise<object> {
  const containers = await project.containers();
  const calls = behind.calls.filter((call) => [...containers].flat().some((name) => call.includes(name)));
  return {
    all: [...containers].sort(),
    started: [startedAt(await project.container('web')), startedAt(await project.container('edge'))],
    tag: await imageNamed(stage.lab, stage.lab.registry.reference(tag('foreign-theirs'))),
    calls: calls.filter((call) => !call.startsWith('GET ')),
  };
}

beforeAll(async () => {
  const { registry, images } = stage.lab;
  [ours, theirs] = [await openProject('foreign-ours'), await openProject('foreign-theirs')];
  behind = engineProxy(stage.lab);
  await behind.mend();
  stage.closing(() => behind.cut());
  own = await stage.on({ ...stage.lab, viewHost: behind.dockerHost }).seeing(ours.name);
  for (const whose of ['foreign-ours', 'foreign-theirs']) await registry.publish(images.NGINX_GOOD_2, tag(whose));
});

it('a service that compares all that it sees updates and mends its own, and leaves those of others as they are', async () => {
  const { lab } = stage;
  for (const project of [ours, theirs]) await project.compose(['restart', '--no-deps', '--timeout', '1', 'edge']);
  const before = await stateOf(theirs);
  pilot = await own.pilot({ env: { PILOT_RECONCILE_SCHEDULE: '0 4 * * *' } });
  const digest = (await lab.registry.tagged(tag('foreign-ours')))!.digest;
  const name = await ours.containerName('web');
  expect(await endOfUpdate(pilot, name, digest)).toMatchObject({ status: 'succeeded', source: 'reconcile' });
  expect(await updated()).toEqual([name]);
  expect(await pageOf(ours, 'web')).toMatch(/^good-2 /);
  await eventually('its own guest is in the network of edge again', async () => {
    return startedAt(await ours.container('nginx')) > startedAt(await ours.container('edge'));
  });
  expect(await stateOf(theirs)).toEqual(before);
});

/** Ended, running or waiting: a container for each update. */
async function updated(): Promise<string[]> {
  return ((await pilot.updates()) as { container: string }[]).map(({ container }) => container);
}

it('Diun reports what is new for its own, and nothing of others', async () => {
  const { lab } = stage;
  const before = await stateOf(theirs);
  const diun = await startDiun(own.lab, { baseUrl: pilot.url, token: pilot.webhookToken, say: () => undefined });
  stage.closing(() => diun.stop());
  await lab.registry.publish(lab.images.NGINX_GOOD_1, tag('foreign-theirs'));
  const digest = await lab.registry.publish(lab.images.NGINX_GOOD_1, tag('foreign-ours'));
  const name = await ours.containerName('web');
  expect(await endOfUpdate(pilot, name, digest)).toMatchObject({ status: 'succeeded', source: 'diun' });
  expect(await updated()).toEqual([name, name]);
  expect(await stateOf(theirs)).toEqual(before);
});

it('nobody can ask for an update of what is not there, and `check` does not tell of it', async () => {
  const container = await theirs.containerName('web');
  const before = await stateOf(theirs);
  const asked = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container }) });
  expect([asked.status, await asked.json()]).toEqual([404, { error: expect.objectContaining({}) }]);
  const { stdout } = await runPilot(own.lab, pilot.dataDir, ['check']);
  expect(stdout).toContain(await ours.containerName('web'));
  expect(stdout).not.toContain(theirs.name);
  expect(await stateOf(theirs)).toEqual(before);
});
