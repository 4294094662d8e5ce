import supertest from 'supertest';
import { observingEngine } from '../../src/containers/observing';
import { requestRenewal } from '../../src/certificates/renewal-queue';
import { readContainers } from '../../src/containers/read-containers';
import { decideById } from '../../src/decisions/approve';
import { requestUpdate } from '../../src/decisions/request-update';
import { requestBackups } from '../../src/backups/backup-queue';
import { NOT_STARTED } from '../../src/domain/mode';
import { linkOn, startHttpOn } from '../support/approval-http';
import { runForge, type Forge } from '../support/forge-scene';
import { asOperator, asPerson } from '../support/http-app';
import { nginx, type Scene } from '../support/scene';

// Everything that happens on a host in a day, while diun-pilot may only observe.

/** Calls that change nothing on any container. */
const READS = ['pull', 'exec', 'execOutput', 'execInput', 'archive'];

let forge: Forge;
let scene: Scene;
beforeEach(() => {
  forge = runForge();
  scene = forge.scene;
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx({ ports: {} }));
  scene.deps.mode = 'observe';
});
afterEach(() => scene.close());

/** Changing calls so far, as `call container`; those of drills, checks and rehearsals are marked. */
function changes(): string[] {
  return scene.engine.lines().filter((line) => !READS.includes(line.split(' ')[0] ?? ''));
}
const foreign = (): string[] => changes().filter((line) => !/\.diun-pilot-(drill|check|rehearsal)-/.test(line));

function announce(): void {
  for (const [heard, own] of [
    ['docker.io/library/nginx:stable', 'nginx:stable'],
    ['docker.io/library/gitea:1', 'gitea:1'],
  ] as const)
    scene.hear(heard, scene.engine.publish(own, forge.specs[own] ?? {}).digest);
}

const of = (container: string) => scene.updates().find((update) => update.container === container);
const mailTo = (kind: string) => scene.mails().find((mail) => mail.kind === kind);

test.each([
  ['by the worker alone', false],
  ['also behind the guarded engine', true],
])('a whole session changes no container: offers, backups, drills, renewals and restores, %s', async (_, guarded) => {
  if (guarded) scene.deps.engine = observingEngine(scene.engine, scene.store);
  const before = scene.engine.containerNames();
  announce();
  await scene.settle();
  requestBackups(
    { store: scene.store, containers: await readContainers(scene.engine, null) },
    { reason: 'operator', project: 'forge' },
  );
  for (const timer of ['reconcile', 'renewal', 'backup', 'reoffer', 'backup-ages', 'drill'] as const)
    scene.store.timers.ring(timer, scene.clock.now().toISOString());
  scene.store.restores.insert({ backupId: 'b', folder: 'f', url: 'file:///f', target: null, updateId: null });
  await scene.settle();
  await scene.clock.advance(2.5 * 86_400_000);
  await scene.settle();
  expect(of('forge-gitea-1')).toMatchObject({ status: 'awaiting_approval' });
  expect(scene.mails().map(({ kind }) => kind)).not.toContain('approval_reminder');
  await scene.clock.advance(86_400_000);
  await scene.settle();
  expect(foreign()).toEqual([]);
  expect(changes()).toContainEqual(expect.stringContaining('.diun-pilot-drill-'));
  expect(scene.engine.containerNames()).toEqual(before);
  expect(scene.store.backups.list(1)).toMatchObject([{ status: 'succeeded' }]);
  expect(scene.store.restores.next()).toMatchObject({ status: 'queued' });
  expect(scene.store.timers.get('renewal')?.last?.outcome).toMatch(/^Skipped: diun-pilot observes/);
});

test('offers are decided and mailed, with the statement that nothing is changed', async () => {
  announce();
  await scene.settle();
  expect(of('web-nginx-1')).toMatchObject({ status: 'queued', reason: expect.stringContaining(NOT_STARTED) });
  expect(of('forge-gitea-1')).toMatchObject({ status: 'awaiting_approval' });
  expect(mailTo('update_available')).toMatchObject({
    subject: expect.stringContaining('not applied in observe mode'),
    text: expect.stringContaining('PILOT_MODE=observe'),
  });
  expect(mailTo('critical_update_available')).toMatchObject({
    subject: expect.stringContaining('nothing to approve in observe mode'),
    text: expect.stringMatching(/^OBSERVE MODE\n[^]*PILOT_MODE=observe/),
  });
});

test('approvals, requests and renewals are refused with observe_mode; a decline is recorded', async () => {
  announce();
  await scene.settle();
  const { id } = of('forge-gitea-1') ?? { id: '' };
  const refused = { code: 'observe_mode', message: expect.stringContaining('PILOT_MODE=act') };
  await expect(decideById(scene.deps, id, 'approve', 'api')).rejects.toMatchObject(refused);
  await expect(decideById(scene.deps, id, 'window', 'api')).rejects.toMatchObject(refused);
  await expect(requestUpdate(scene.deps, { container: 'web-nginx-1' })).rejects.toMatchObject(refused);
  expect(() => requestRenewal(scene.deps, { reason: 'operator' })).toThrow(expect.objectContaining(refused));
  expect(of('forge-gitea-1')).toMatchObject({ status: 'awaiting_approval' });
  await decideById(scene.deps, id, 'decline', 'api');
  expect(of('forge-gitea-1')).toMatchObject({ status: 'declined' });
  expect(foreign()).toEqual([]);
});

test('over HTTP the answer is 409 observe_mode, and the page of the link offers only to decline', async () => {
  announce();
  await scene.settle();
  const http = await startHttpOn(scene);
  try {
    const link = linkOn(scene, of('forge-gitea-1') as never);
    const page = await supertest(http.url).get(link).set('Accept', 'text/html').expect(200);
    expect(page.text).toContain('PILOT_MODE=observe');
    expect(page.text).toContain('value="decline"');
    expect(page.text).not.toMatch(/value="(approve|window)"|name="name"/);
    const pressed = await supertest(http.url)
      .post(link)
      .type('form')
      .send({ decision: 'approve', name: 'forge-gitea-1' })
      .set('Accept', 'application/json');
    expect([pressed.status, pressed.body.error.code]).toEqual([409, 'observe_mode']);
    const requested = await supertest(http.url).post('/updates').set(asOperator).send({ container: 'web-nginx-1' });
    expect([requested.status, requested.body.error.code]).toEqual([409, 'observe_mode']);
    const overview = await supertest(http.url).get('/').set(asPerson).set('Accept', 'text/html').expect(200);
    expect(overview.text).toContain('diun-pilot observes (PILOT_MODE=observe)');
    expect(overview.text).toContain('not started while diun-pilot observes');
  } finally {
    await http.stop();
  }
});

test('what was queued starts once diun-pilot may act, without the sentence', async () => {
  announce();
  await scene.settle();
  scene.deps.mode = 'act';
  await scene.settle();
  expect(of('web-nginx-1')).toMatchObject({ status: 'succeeded', reason: expect.not.stringContaining(NOT_STARTED) });
});

test('an update that was approved before the switch stays queued, with the reason', async () => {
  scene.deps.mode = 'act';
  scene.engine.publish('gitea:1', forge.specs['gitea:1'] ?? {});
  await forge.request('forge-gitea-1');
  scene.deps.mode = 'observe';
  await scene.settle();
  expect(of('forge-gitea-1')).toMatchObject({ status: 'queued', reason: expect.stringContaining(NOT_STARTED) });
  expect(changes()).toEqual([]);
});

test.each([
  ['before the swap: it ends unchanged', 'createContainer', 'failed'],
  ['after the old container was stopped: it is finished', 'start', 'succeeded'],
] as const)('an update that was interrupted %s', async (_, call, status) => {
  scene.deps.mode = 'act';
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  const crashed = scene.engine.crashAt(call, 'before');
  void scene.settle();
  await crashed;
  scene = scene.restart();
  scene.deps.mode = 'observe';
  scene.deps.engine = observingEngine(scene.engine, scene.store);
  await scene.settle();
  expect(of('web-nginx-1')).toMatchObject({ status });
  expect(scene.engine.isRunning('web-nginx-1')).toBe(true);
});

describe('the engine', () => {
  const guarded = () => observingEngine(scene.engine, scene.store);
  const id = () => scene.engine.container('web-nginx-1').Id;
  const request = () =>
    ({
      body: { Image: 'nginx:stable', HostConfig: {}, NetworkingConfig: { EndpointsConfig: {} } },
      connect: [],
    }) as never;

  test.each([
    ['tag', () => guarded().tag('sha256:1', 'nginx:stable')],
    ['untag', () => guarded().untag('nginx:stable')],
    ['removeImage', () => guarded().removeImage('sha256:1')],
    ['createContainer', () => guarded().createContainer('another', request())],
    ['rename', () => guarded().rename(id(), 'another')],
    ['updateContainer', () => guarded().updateContainer(id(), { RestartPolicy: { Name: 'no' } })],
    ['start', () => guarded().start(id())],
    ['stop', () => guarded().stop(id())],
    ['remove', () => guarded().remove(id())],
    ['restart', () => guarded().restart(id())],
    ['extract', () => guarded().extract(id(), '/', null as never)],
    ['a reload by exec', () => guarded().exec(id(), ['nginx', '-s', 'reload'])],
    ['input into a container', () => guarded().execInput(id(), ['psql'], null as never)],
  ])('refuses %s on a container that is not its own', async (_, call) => {
    await expect(call()).rejects.toMatchObject({ code: 'observe_mode' });
    expect(changes()).toEqual([]);
  });

  test('lets drills work on their own containers, also left-over ones', async () => {
    const name = 'shop-db-1.diun-pilot-drill-0123456789';
    const drill = await guarded().createContainer(name, request());
    await guarded().start(drill);
    await guarded().stop(drill);
    await guarded().remove(drill);
    expect(foreign()).not.toContainEqual(expect.stringMatching(/web-nginx|forge/));
    expect(scene.engine.containerNames()).not.toContain(name);
  });
});
