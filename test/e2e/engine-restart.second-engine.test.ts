import type { ComposeProject } from '../lab/compose';
import { whyNoOtherEngine } from '../lab/engine/other-engine';
import type { EngineEnd, PrivateEngine } from '../lab/engine/private-engine';
import type { Pilot } from '../lab/pilot';
import { openEdgeProject } from '../support/e2e-edge';
import { engineProxy, type EngineProxy, type Moment } from '../support/e2e-engine-proxy';
import { besideLab } from '../support/e2e-other-engine';
import { imageNamed, namesOf, openStage, startedAt, type Stage } from '../support/e2e-stage';
import { announce, endOfUpdate, pageOf, updateTo } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { describeIf } from '../support/needs';

// The whole engine goes and comes back under `edge` and nginx, with diun-pilot beside it all the while.
const TAG = 'engine-restart/nginx:stable';
const START_NEW = [/^POST \/containers\/create\?name=[^&]*\.diun-pilot-new-/, /^POST \/containers\/[^/]+\/start/];
const STOP = /^POST \/containers\/[^/]+\/stop/;

describeIf(whyNoOtherEngine(), 'the whole engine restarted', () => {
  const stage = openStage();
  let other: Stage;
  let engine: PrivateEngine;
  let proxy: EngineProxy;
  let pilot: Pilot;
  let web: ComposeProject;
  let name: string;

  beforeAll(async () => {
    const { EDGE, NGINX_GOOD_1 } = stage.lab.images;
    ({ stage: other, engine } = await besideLab(stage, [EDGE, NGINX_GOOD_1]));
    web = await openEdgeProject(other, 'restart', TAG);
    name = await web.containerName('nginx');
    await pageOf(web, 'edge');
    proxy = engineProxy(other.lab);
    await proxy.mend();
    stage.closing(() => proxy.cut());
    pilot = await other.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
  });

  /** What the issue asks for, from the moment the engine answers again. */
  const serves = (page: string): Promise<boolean> =>
    eventually(
      'nginx serves again',
      async () => {
        const answer = await fetch(await web.url('edge', 80), { signal: AbortSignal.timeout(2_000) });
        return (await answer.text()).startsWith(page);
      },
      { timeoutMs: 300_000 },
    );
  const dockerIs = (status: string): Promise<unknown> =>
    eventually(
      `diun-pilot says of Docker: ${status}`,
      async () => {
        const health = await (await fetch(`${pilot.url}/health`)).json();
        return (health as { checks: { docker: { status: string } } }).checks.docker.status === status;
      },
      { everyMs: 50 },
    );
  const wholeOnes = async (): Promise<string[]> =>
    (await namesOf(other.lab, web)).filter((found) => found.startsWith(name));
  /** A connection to an engine that is gone breaks; the proxy holds what it was told to hold. */
  const gone = async (how: EngineEnd): Promise<void> => {
    await engine.end(how);
    await proxy.cut();
    await proxy.mend();
  };

  it.each<EngineEnd>(['SIGTERM', 'SIGKILL'])('by %s: nginx serves again, and diun-pilot listens again', async (how) => {
    const before = [await web.container('edge'), await web.container('nginx')];
    await engine.end(how);
    await dockerIs('down');
    await engine.begin();
    await serves('good-1');
    await dockerIs('ok');
    const after = [await web.container('edge'), await web.container('nginx')];
    expect(after.map(({ Id }) => Id)).toEqual(before.map(({ Id }) => Id));
    expect(after.every((container, i) => startedAt(container) > startedAt(before[i]!))).toBe(true);
    expect(pilot.running).toBe(true);
    await web.compose(['restart', '--no-deps', 'edge']);
    await serves('good-1');
  });

  const moments: [string, EngineEnd, Moment][] = [
    ['SIGTERM, when the new one was started', 'SIGTERM', { calls: START_NEW, when: 'after' }],
    ['power failure, when the old one has drained', 'power failure', { calls: [...START_NEW, STOP], when: 'after' }],
  ];

  it.each(moments)('in the middle of an update, by %s: it waits, then ends whole', async (title, how, moment) => {
    const { lab } = other;
    const image = await stage.lab.variantOf(stage.lab.images.NGINX_GOOD_2, `engine-${title.replaceAll(/\W+/g, '-')}`);
    const digest = await lab.registry.publish(image, TAG);
    const held = proxy.hold(moment);
    await announce(pilot, lab.registry.reference(TAG), digest);
    await held;
    const mailsBefore = (await pilot.mails()).length;
    await gone(how);
    await dockerIs('down');
    expect(await updateTo(pilot, name, digest)).toMatchObject({ status: 'running', finishedAt: null, error: null });
    expect(await pilot.mails()).toHaveLength(mailsBefore);
    await engine.begin();
    await serves('good-');
    const update = await endOfUpdate(pilot, name, digest);
    expect(update).toMatchObject({ status: 'succeeded', error: null });
    expect(await wholeOnes()).toEqual([name]);
    const nginx = await web.container('nginx');
    expect(nginx['State'].Running).toBe(true);
    expect(await imageNamed(lab, lab.registry.reference(TAG))).toBe(nginx['Image']);
    await serves('good-2');
  });
});
