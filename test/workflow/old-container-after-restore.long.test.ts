import { decideSoakLink } from '../../src/decisions/recovery-links';
import type { RestartPolicy } from '../../src/domain/engine-inspect';
import { StorageError } from '../../src/domain/errors';
import type { FakeEngine } from '../support/fake-engine';
import type { FakeContainer, ImageSpec } from '../support/fake-engine-types';
import { fakePostgres } from '../support/fake-postgres';
import { runForge, type Forge } from '../support/forge-scene';
import { ALL_WITH_READER, migratingReader, READER, versionIn } from '../support/migrating-reader';
import { FORGE, readsWhole } from '../support/restore-scene';

// A restore stops those that write to the data and asks their health. The old container is not always one of them.

let forge: Forge;
afterEach(() => forge.scene.close());
const running = (): string[] =>
  forge.scene.engine.containerNames().filter((name) => forge.scene.engine.isRunning(name));
const last = () => forge.scene.updates().at(-1);
const mail = (): string =>
  forge.scene
    .mails()
    .at(-1)
    ?.text.replace(/\s+(!! )?/g, ' ') ?? '';

it('a database server that still fails its probe after the restore is not reported as healthy, and those that use it run', async () => {
  let broken = false;
  const { scripts, ...image } = fakePostgres();
  const probed = { ...scripts, 'is-well': () => (broken ? { exitCode: 1, stderr: 'replica lags' } : {}) };
  const postgres = { ...image, scripts: probed };
  forge = runForge({ postgres, dbLabels: { 'update.probe': 'exec:is-well', 'update.probe.timeout': '5s' } });
  const { engine } = readsWhole(forge.scene);
  const { Id } = engine.container('forge-db-1');
  engine.publish('postgres:15', postgres);
  engine.onCall('createContainer', () => void (broken = true));
  await forge.update('forge-db-1');
  expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'rollback_failed' } });
  expect(last()?.steps.slice(-2)).toMatchObject([
    { name: 'restore', status: 'succeeded' },
    { name: 'restore_health_check', status: 'failed', detail: expect.stringContaining('replica lags') },
  ]);
  expect(running()).toEqual(FORGE);
  expect(engine.container('forge-db-1').Id).toBe(Id);
  expect(last()?.reason).toMatch(/The data of .* was restored\. Retained: database app of forge-db-1/);
  expect(mail()).toContain('The old version was not healthy after the rollback, so the data was restored');
  expect(mail()).toContain('docker exec forge-db-1 dropdb -U postgres');
  expect(mail()).not.toContain('had changed the data');
});

it('nothing is restored for a probe that failed before the update, too', async () => {
  forge = runForge({ labels: { 'update.probe': 'exec:is-well', 'update.probe.timeout': '5s' } });
  const { engine, clock } = readsWhole(forge.scene);
  await clock.advance(600_000);
  engine.publish('gitea:1', { ...forge.specs['gitea:1'] });
  await forge.update('forge-gitea-1');
  expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'unhealthy_as_before' } });
  expect(forge.scene.store.backups.list(1)).toMatchObject([{ quiesced: true }]);
  expect(last()?.steps.map(({ name }) => name)).not.toContain('restore');
  expect(running()).toEqual(FORGE);
});

describe.each<[string, RestartPolicy['Name'], (engine: FakeEngine, container: FakeContainer) => void]>([
  ['stops', 'always', ({ host }, container) => host.stop(container)],
  ['stops, which may be its own exit by its policy,', 'no', ({ host }, container) => host.stop(container)],
  ['kills, which may be its own exit by its policy,', 'no', ({ host }, old) => host.stop(old, 137)],
  ['pauses', 'unless-stopped', ({ host }, container) => host.pause(container)],
])('another process that %s the old container during the health check of a rollback (policy %s)', (_, Name, act) => {
  it('is no reason to restore its data', async () => {
    forge = runForge({ policy: { Name, MaximumRetryCount: 0 } });
    const { engine, clock } = readsWhole(forge.scene);
    const old = engine.host.find('forge-gitea-1');
    const { Id } = old.inspect;
    const files = engine.files('forge-gitea-1');
    engine.publish('gitea:1', { ...forge.specs['gitea:1'], health: 'exits' });
    let acted = false;
    const acts = async (): Promise<void> => {
      if (acted) return;
      acted = true;
      await clock.sleep(1_000);
      files.write('/data/repo/pushed.txt', 'work');
      act(engine, old);
    };
    engine.onCall('start', ({ args: [id] }) => void (id === Id && acts()), { when: 'after' });
    await forge.update('forge-gitea-1');
    expect(forge.scene.store.backups.list(1)).toMatchObject([{ quiesced: true }]);
    expect(last()?.steps.map(({ name }) => name)).not.toContain('restore');
    expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'rollback_failed' } });
    expect(engine.container('forge-gitea-1').Id).toBe(Id);
    expect(files.read('/data/repo/pushed.txt')?.toString()).toBe('work');
  });
});

it('an old container whose start waits for the restore, and that another process starts, keeps the data as it is', async () => {
  forge = migratingReader(false);
  const { engine, store } = readsWhole(forge.scene);
  const starts = (): void => {
    const [running] = store.updates.withStatus('running');
    if (running !== undefined && store.updates.journal(running.id)?.restore?.stage === 'staging')
      engine.host.start(engine.host.find(READER));
  };
  engine.onCall('execInput', starts);
  await forge.update(READER);
  expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
  expect(last()?.error?.message).toContain(`Another process started ${READER} while the backup was unpacked`);
  expect(versionIn(forge)).toBe('135');
  expect(engine.isRunning(READER)).toBe(true);
});

describe('the backup was chosen after a failed soak, and its storage does not answer', () => {
  const MINUTE = 60_000;
  async function chooseTheBackup(name: string, fails: Partial<ImageSpec>): Promise<string> {
    const { scene } = forge;
    const { Id } = scene.engine.container(name);
    await forge.update(name);
    Object.assign(scene.engine.host.find(name).image.spec, fails);
    await scene.clock.advance(MINUTE);
    await scene.settle();
    const token = /approvals\/(\S+)/.exec(scene.mails().at(-1)?.text ?? '')?.[1] ?? '';
    expect(decideSoakLink(scene.deps, token, { decision: 'approve', data: 'backup', name })?.outcome).toBe('chosen');
    const get = () => Promise.reject(new StorageError('storage_unreachable', 'no route to host'));
    scene.deps.storage = { ...scene.deps.storage, get };
    await scene.settle();
    return Id;
  }

  it('leaves the old version running on the changed data, and says both', async () => {
    forge = migratingReader(true, { 'update.soak': '2h' });
    const oldId = await chooseTheBackup(READER, { scripts: { ping: { exitCode: 1, stderr: 'panic' } } });
    expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
    expect(last()?.error?.message).toContain('not restored: no route to host');
    expect(forge.scene.engine.container(READER).Id).toBe(oldId);
    expect(running()).toEqual(ALL_WITH_READER);
  });

  it('claims neither an outage nor a change where it is not known whether the data was changed', async () => {
    forge = runForge();
    const name = 'wiki-app-1';
    const inWiki = { 'com.docker.compose.project': 'wiki', 'com.docker.compose.service': 'app', 'update.soak': '2h' };
    const labels = { ...forge.watched, ...inWiki, 'backup.kind': 'files', 'backup.paths': '/pages' };
    const { engine } = forge.scene;
    engine.addImage({ reference: 'wiki:1' });
    engine.runContainer({ name, image: 'wiki:1', volumes: { pages: '/pages' }, labels });
    engine.files(name).write('/pages/first', 'x');
    engine.publish('wiki:1', {});
    const oldId = await chooseTheBackup(name, { health: 'crash-loop' });
    expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
    expect(forge.scene.mails().at(-1)?.subject).toContain('its data was not restored – decide about a restore');
    expect(last()?.reason).not.toContain('changed');
    expect(engine.container(name).Id).toBe(oldId);
    expect(running()).toEqual([...FORGE, name]);
  });
});
