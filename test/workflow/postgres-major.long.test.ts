import { verdictOf } from '../../src/cli/text';
import { EngineError } from '../../src/domain/errors';
import type { Plan } from '../../src/domain/plan/plan';
import type { Update } from '../../src/domain/update';
import { DATA, expectedMajor, foundMajor, runMajorForge, SERVER, type MajorForge } from '../support/major-scene';
import { REAL_SHELL } from '../support/real-shell';

// The data of a server moves to a new PostgreSQL major that was approved (every crash: major-crash-table).

let major: MajorForge;
afterEach(() => major.forge.scene.close());

const ended = () => major.forge.scene.updates()[0];
const steps = () => ended()?.steps.map(({ name, status }) => `${name} ${status}`);
const MONTH_MS = 30 * 86_400_000;

async function run(spoils: boolean): Promise<void> {
  major = runMajorForge({ spoils });
  await major.request();
  await major.forge.scene.settle();
}

test('the new major has all of the data, and the previous data directory is kept for 30 days', async () => {
  await run(false);
  const { scene } = major.forge;
  expect([ended()?.status, ended()?.error]).toEqual(['succeeded', null]);
  expect(steps()).toEqual(
    ['backup', 'pull', 'preflight', 'move_data', 'recreate', 'load_data', 'health_check', 'cleanup'].map(
      (name) => `${name} succeeded`,
    ),
  );
  expect(foundMajor(major, scene)).toEqual(expectedMajor(major, '17'));
  const [kept] = scene.store.keptData.all();
  expect(kept).toMatchObject({ container: 'forge-db-1', what: 'the data directory of PostgreSQL 15' });
  const command = `docker exec -u 0 forge-db-1 rm -rf '${kept?.directory}/${kept?.folder}'`;
  expect(scene.mails().at(-1)?.text.replace(/\s+/g, ' ')).toContain(command);
  await scene.clock.advance(MONTH_MS + 1000);
  await scene.settle();
  expect(scene.store.keptData.all()).toEqual([]);
  expect(foundMajor(major, scene)).toEqual({ ...expectedMajor(major, '17'), kept: 0 });
});

test('what was loaded differs from before: rolled back, and the old server has its data directory again', async () => {
  await run(true);
  expect(ended()).toMatchObject({ status: 'rolled_back', error: { code: 'major_failed' } });
  expect(ended()?.error?.message).toMatch(
    /The loaded data differs from that of PostgreSQL 15: Database app: contents: before/,
  );
  expect(steps()).toContain('load_data failed');
  expect(foundMajor(major, major.forge.scene)).toEqual(expectedMajor(major, '15'));
});

test.each<[string, string | null, number]>([
  ['empty: removed', null, 0],
  ['not empty: kept', '17/file', 1],
])(
  'a rolled-back attempt with an image that declares a volume above the data directory, %s',
  async (_, above, left) => {
    major = runMajorForge({ spoils: true, above });
    const { volumes } = major.forge.scene.engine.host;
    const before = [...volumes.keys()];
    await major.request();
    await major.forge.scene.settle();
    expect(ended()?.status).toBe('rolled_back');
    expect([...volumes.keys()].filter((name) => !before.includes(name))).toHaveLength(left);
    expect(foundMajor(major, major.forge.scene)).toEqual(expectedMajor(major, '15'));
  },
);

test('a refused attempt with such an image leaves no volume either: the new container never ran', async () => {
  major = runMajorForge({ above: '17/file' });
  const { engine } = major.forge.scene;
  const before = [...engine.host.volumes.keys()];
  engine.onCall('createContainer', ({ line }) => {
    if (line.includes('.diun-pilot-restore-')) throw new EngineError('engine_refused', 'no room');
  });
  await major.request();
  await major.forge.scene.settle();
  expect(engine.lines().some((line) => /^createContainer \S+\.diun-pilot-new-/.test(line))).toBe(true);
  expect([ended()?.status, [...engine.host.volumes.keys()]]).toEqual(['failed', before]);
});

/** The application runs on the new major, writes to it, and does not pass its health check there. */
async function runUntilApplicationFails(): Promise<void> {
  major = runMajorForge({ labels: { 'update.probe': 'exec:is-well', 'update.probe.timeout': '5s' } });
  const { engine } = major.forge.scene;
  const files = engine.files(SERVER);
  engine.host.find('forge-gitea-1').image.spec.scripts = {
    ...REAL_SHELL,
    'is-well': () => {
      if (files.read(`${DATA}/PG_VERSION`)?.toString().trim() === '15') return { stdout: 'fine' };
      files.write(`${DATA}/base/written`, 'by an application, after the load');
      return { exitCode: 1, stderr: 'no such function' };
    },
  };
  await major.request();
  await major.forge.scene.settle();
}

test('an application fails on the new major: the data directory that it wrote to is kept, and every verdict says where', async () => {
  await runUntilApplicationFails();
  const { scene } = major.forge;
  expect(ended()).toMatchObject({ status: 'rolled_back', error: { code: 'other_unhealthy' } });
  expect(foundMajor(major, scene)).toEqual({ ...expectedMajor(major, '15'), staged: expect.anything() });
  const [kept, ...others] = scene.store.keptData.all();
  const path = `${kept?.directory}/${kept?.folder}`;
  expect([kept?.what, others]).toEqual(['the data directory of PostgreSQL 17', []]);
  expect(scene.engine.files(SERVER).read(`${path}/base/written`)?.toString()).toContain('after the load');
  expect(scene.engine.files(SERVER).read(`${DATA}/base/written`)).toBeUndefined();
  const mail = scene.mails().at(-1);
  const said = `Data written after the load into PostgreSQL 17 is missing; it is only in the data directory of PostgreSQL 17: ${path}.`;
  for (const text of [ended()?.reason, mail?.text.replace(/\s+(?:!! )?/g, ' '), verdictOf(ended() as Update).join(' ')])
    expect(text).toContain(said);
  expect(`${mail?.subject} ${mail?.text}`).not.toMatch(/nothing (?:is )?urgent/i);
  expect(mail?.text.replace(/\s+/g, ' ')).toContain(`docker exec -u 0 ${SERVER} rm -rf '${DATA}/.diun-pilot-restore-`);
  await scene.clock.advance(MONTH_MS + 1000);
  await scene.settle();
  expect([scene.store.keptData.all(), foundMajor(major, scene)]).toEqual([[], expectedMajor(major, '15')]);
});

test('a new major that was not known when it was decided is refused with what to do, and nothing is stopped', async () => {
  major = runMajorForge();
  await major.request();
  const { store } = major.forge.scene;
  const update = ended() as Update;
  const plan = { ...(store.updates.plan(update.id) as Plan) };
  delete plan.newMajor;
  store.updates.savePlan(update.id, plan);
  await major.forge.scene.settle();
  expect(ended()).toMatchObject({ status: 'failed', error: { code: 'preflight_failed' } });
  expect(ended()?.error?.message).toContain('Request it again: diun-pilot update forge-db-1 postgres:15');
  expect(foundMajor(major, major.forge.scene)).toEqual(expectedMajor(major, '15'));
});

test('a client that is still connected stops the update before anything moves, and is named', async () => {
  const labels = { 'backup.quiesce': 'never' };
  major = runMajorForge({ labels, clients: ['app of psql from 172.18.0.9'] });
  await major.request();
  await major.forge.scene.settle();
  expect(ended()).toMatchObject({ status: 'failed', error: { code: 'preflight_blocked' } });
  expect(ended()?.error?.message).toContain('app of psql from 172.18.0.9');
  expect(foundMajor(major, major.forge.scene)).toEqual(expectedMajor(major, '15'));
});

test('an application with backup.quiesce=never is not stopped', async () => {
  major = runMajorForge({ labels: { 'backup.quiesce': 'never' } });
  await major.request();
  await major.forge.scene.settle();
  expect(ended()?.status).toBe('succeeded');
  const lines = major.forge.scene.engine.lines();
  expect(lines.filter((line) => line.startsWith('stop forge-gitea-1'))).toEqual([]);
  expect(lines).toContain('stop forge-runner-1');
});

test.each([
  ['and creates the old one again', true],
  ['and nothing has the name', false],
])('another process removes the servers during the load, %s: the databases are the old ones', async (_what, again) => {
  major = runMajorForge();
  await major.request();
  const { scene } = major.forge;
  const { engine } = scene;
  const labels = engine.container(SERVER).Config.Labels ?? {};
  engine.host.images.tag(engine.container(SERVER).Image, 'postgres:old');
  const files = engine.files(SERVER);
  let done = false;
  engine.onCall('execInput', () => {
    if (done || files.read(`${DATA}/PG_VERSION`)?.toString().trim() !== '17') return;
    done = true;
    for (const name of engine.containerNames().filter((one) => one.startsWith(SERVER)))
      engine.host.remove(engine.container(name).Id, false);
    if (again) engine.runContainer({ name: SERVER, image: 'postgres:old', volumes: { 'forge-rows': DATA }, labels });
  });
  await scene.settle();
  expect(done).toBe(true);
  expect(['rolled_back', 'rollback_failed']).toContain(ended()?.status);
  const { version, databases, app, running } = foundMajor(major, scene);
  const whole = expectedMajor(major, '15');
  expect([version, databases, app, running]).toEqual(['15', whole.databases, whole.app, whole.running]);
});
