import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { openEdgeProject } from '../support/e2e-edge';
import { engineProxy, type EngineProxy, type Moment } from '../support/e2e-engine-proxy';
import { imageNamed, namesOf, openStage } from '../support/e2e-stage';
import { announce, endOfUpdate, pageOf } from '../support/e2e-updates';
import { someOf } from '../support/exhaustive';
import { steadyLoad } from '../support/steady-load';

// SIGKILL of the real process around the acts of a handover, under load: whoever serves goes on serving all the while.
const stage = openStage();
const RATE = 50;
const TAG = 'handover-crash/nginx:stable';
const START_NEW = [/^POST \/containers\/create\?name=[^&]*\.diun-pilot-new-/, /^POST \/containers\/[^/]+\/start/];
const STOP = /^POST \/containers\/[^/]+\/stop/;
const REMOVE = /^DELETE \/containers\//;

let pilot: Pilot;
let proxy: EngineProxy;
let web: ComposeProject;
let name: string;

beforeAll(async () => {
  web = await openEdgeProject(stage, 'handover-crash', TAG);
  name = await web.containerName('nginx');
  await pageOf(web, 'edge');
  proxy = engineProxy(stage.lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  pilot = await stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
});

const moments: [string, Moment][] = [
  ['before the new one is started', { calls: START_NEW, when: 'before' }],
  ['after the new one was started', { calls: START_NEW, when: 'after' }],
  ['before the old one is told to drain', { calls: [...START_NEW, STOP], when: 'before' }],
  ['after the old one has drained', { calls: [...START_NEW, STOP], when: 'after' }],
  ['after the old one was removed', { calls: [...START_NEW, STOP, REMOVE], when: 'after' }],
];

it.each(someOf(moments, 2))('killed %s: the update is finished, and not one request is lost', async (title, moment) => {
  const { lab } = stage;
  const before = await web.container('nginx');
  const image = await lab.variantOf(lab.images.NGINX_GOOD_2, title.replaceAll(' ', '-'));
  const digest = await lab.registry.publish(image, TAG);
  const load = steadyLoad(await web.url('edge', 80), RATE);
  const held = proxy.hold(moment);
  await announce(pilot, lab.registry.reference(TAG), digest);
  await held;
  await pilot.kill('SIGKILL');
  await pilot.start();
  const update = await endOfUpdate(pilot, name, digest);
  const answers = await load.stop();
  expect(update).toMatchObject({ status: 'succeeded', error: null });
  expect(answers.filter(({ ok }) => !ok)).toEqual([]);
  const after = await web.container('nginx');
  expect((await namesOf(lab, web)).filter((found) => found.startsWith(name))).toEqual([name]);
  expect(after['Id']).not.toBe(before['Id']);
  expect(await imageNamed(lab, lab.registry.reference(TAG))).toBe(after['Image']);
});
