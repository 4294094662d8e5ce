import { EngineError, StorageError } from '../../src/domain/errors';
import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import { aDump } from '../support/fake-postgres';
import { ALL_WITH_READER as ALL, CHANGED, migratingReader, READER, versionIn } from '../support/migrating-reader';
import type { Forge } from '../support/forge-scene';

// The new version migrates the database of its set. The old one pings it and reports that it is healthy, on either schema.

let forge: Forge;
afterEach(() => forge.scene.close());

function runReader(works: boolean, labels: Record<string, string> = {}): void {
  forge = migratingReader(works, labels);
}

const verdict = () => forge.scene.updates().at(-1);
const version = (): string => versionIn(forge);
const steps = (): string[] => (verdict()?.steps ?? []).map(({ name, status }) => `${name} ${status}`);
const lastMail = () => forge.scene.mails().at(-1);
const unwrapped = (): string => lastMail()?.text.replace(/\s+(!! )?/g, ' ') ?? '';
const running = (): string[] => ALL.filter((name) => forge.scene.engine.isRunning(name));

it('a rollback restores what the new version changed, although the old one is healthy on it', async () => {
  runReader(false);
  const { Id } = forge.scene.engine.container(READER);
  await forge.update(READER);
  expect(verdict()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
  expect(version()).toBe('114');
  expect(steps().slice(4)).toEqual([
    'health_check failed',
    'rollback succeeded',
    'rollback_health_check skipped',
    'restore succeeded',
    'restore_health_check succeeded',
  ]);
  expect(verdict()?.reason).toContain(`The new version had changed the data (${CHANGED}), so the data of`);
  expect(unwrapped()).toContain(`The new version had changed the data (${CHANGED}), so the data was restored`);
  expect(running()).toEqual(ALL);
  expect(forge.scene.engine.container(READER).Id).toBe(Id);
});

it('a rollback restores it although the engine refuses any one command of the look at the schema (seed 32669)', async () => {
  for (let which = 1; which <= 4; which++) {
    if (which > 1) forge.scene.close();
    runReader(false);
    let looks = 0;
    forge.scene.engine.onCall('execOutput', ({ line }) => {
      if (/own AS|SELECT json_build_array/.test(line) && ++looks === which)
        throw new EngineError('engine_refused', 'not now');
    });
    await forge.update(READER);
    expect([which, verdict()?.status, version()]).toEqual([which, 'rolled_back', '114']);
    expect([which, verdict()?.reason]).toEqual([which, expect.not.stringContaining('could not read')]);
  }
}, 60_000);

it('a database that the new version created is in no backup: it is left, and the result says so', async () => {
  runReader(false);
  const ping = (): Outcome => {
    forge.databases['queue'] ??= aDump('queue', { version: '1', tables: [] });
    return { exitCode: 1, stderr: 'panic' };
  };
  forge.scene.engine.publish('reader:1', { scripts: { ping } });
  await forge.update(READER);
  expect(version()).toBe('114');
  expect(steps().slice(-2)).toEqual(['restore succeeded', 'restore_health_check succeeded']);
  expect(verdict()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
  const left = /The data was restored, but .* still exists: database queue of forge-db-1\./;
  expect([verdict()?.reason, unwrapped()]).toEqual([expect.stringMatching(left), expect.stringMatching(left)]);
  expect(lastMail()?.subject).toContain('rolled back, but a new database is still there');
  expect(unwrapped()).toMatch(/docker exec forge-db-1 dropdb .*app\.diun-pilot-before-/);
  expect(unwrapped()).not.toMatch(/review and restore|nothing is urgent|decide about a restore/i);
  expect(Object.keys(forge.databases)).toContain('queue');
  expect(running()).toEqual(ALL);
});

it('the old version is not started on changed data before that is restored', async () => {
  runReader(false);
  await forge.update(READER);
  const lines = forge.scene.engine.lines();
  const starts = lines.flatMap((line, at) => (line === `start ${READER}` ? [at] : []));
  const swapped = lines.findIndex((line) => line.includes('RENAME TO'));
  expect(swapped).toBeGreaterThan(0);
  // The new one bears that name at its start; the old one follows once the data is back.
  expect(starts.map((at) => at > swapped)).toEqual([false, true]);
});

it('changed data that may have been written to since is reported, with the link that restores it', async () => {
  runReader(false);
  const { engine } = forge.scene;
  engine.onCall('createContainer', () => engine.host.start(engine.host.find('forge-runner-1')));
  await forge.update(READER);
  expect(verdict()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
  expect(version()).toBe('135');
  expect(verdict()?.reason).toContain(CHANGED);
  expect(lastMail()?.subject).toContain('the new version changed its data');
  expect(unwrapped()).toContain(CHANGED);
  expect(unwrapped()).toMatch(/https:\/\/pilot\.example\/approvals\//);
  expect(unwrapped()).not.toMatch(/nothing is urgent/i);
  expect(running()).toEqual(ALL);
});

it('a neighbour that does not run on the changed data: the mail says what was changed, and that it was not restored', async () => {
  runReader(true);
  const { engine } = forge.scene;
  const runner = 'forge-runner-1';
  engine.onCall('start', ({ line }) => {
    if (line === `start ${runner}` && version() === '135') engine.host.find(runner).image.spec.health = 'crash-loop';
  });
  await forge.update(READER);
  expect(verdict()).toMatchObject({ status: 'rollback_failed', error: { code: 'other_unhealthy' } });
  expect(version()).toBe('135');
  expect(verdict()?.reason).toContain(CHANGED);
  expect(lastMail()?.subject).toContain('another container does not respond');
  expect(unwrapped()).toContain(CHANGED);
  expect(unwrapped()).toContain('Decide whether to restore the backup of this update.');
});

it('backup.quiesce=never: the change is reported, and nothing is restored over what the container wrote', async () => {
  runReader(false, { 'backup.quiesce': 'never' });
  await forge.update(READER);
  expect(verdict()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
  expect(steps()).not.toContain('restore succeeded');
  expect(version()).toBe('135');
});

it('a restore that fails leaves the old version running on the changed data, and says both', async () => {
  runReader(false);
  (forge.specs['postgres:15']?.scripts as Scripts)['pg_restore -w *'] = {
    exitCode: 1,
    stderr: 'pg_restore: error: no',
  };
  await forge.update(READER);
  expect(verdict()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
  expect(verdict()?.error?.message).toMatch(/schema_version 114 → 135.*not restored: .*pg_restore: error: no/);
  expect(running()).toEqual(ALL);
});

it('a backup that no longer reads leaves it running, too', async () => {
  runReader(false);
  const { storage } = forge.scene.deps;
  let gone = false;
  const get = (key: string) =>
    gone ? Promise.reject(new StorageError('storage_unreachable', 'no route to host')) : storage.get(key);
  forge.scene.deps.storage = { ...storage, get };
  forge.scene.engine.onCall('rename', () => void (gone = true));
  await forge.update(READER);
  expect(verdict()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
  expect(running()).toEqual(ALL);
});

it('unchanged data is not restored, and the mail says that nothing is urgent', async () => {
  runReader(false);
  forge.scene.engine.publish('reader:1', { scripts: { ping: { exitCode: 1, stderr: 'panic' } } });
  await forge.update(READER);
  expect(verdict()).toMatchObject({ status: 'rolled_back' });
  expect(steps()).toContain('rollback_health_check succeeded');
  expect(steps().join()).not.toContain('restore');
  expect(verdict()?.steps.at(-1)?.detail).toContain('the schema of its databases is unchanged');
  expect(unwrapped()).toContain('Nothing is urgent.');
});

it('a successful update reports what it changed: in its step, its reason and its mail', async () => {
  runReader(true);
  await forge.update(READER);
  expect(verdict()).toMatchObject({ status: 'succeeded' });
  expect(verdict()?.steps.find(({ name }) => name === 'health_check')?.detail).toContain(CHANGED);
  expect(verdict()?.reason).toContain(CHANGED);
  expect(unwrapped()).toContain(CHANGED);
});

it('what cannot be read fails no update, but after a rollback the mail does not claim that the data is unchanged', async () => {
  runReader(true);
  const scripts = forge.specs['postgres:15']?.scripts as Scripts;
  const psql = scripts['psql *'] as (call: CommandCall) => Outcome;
  const unreadable = 'ERROR:  permission denied for table pg_authid';
  scripts['psql *'] = (call) =>
    call.env.some((line) => line.includes('default_transaction_read_only=on'))
      ? { exitCode: 1, stderr: unreadable }
      : psql(call);
  await forge.update(READER);
  expect(verdict()).toMatchObject({ status: 'succeeded' });
  forge.scene.engine.publish('reader:1', { scripts: { ping: { exitCode: 1, stderr: 'panic' } } });
  await forge.update(READER);
  expect(verdict()).toMatchObject({ status: 'rolled_back' });
  expect(lastMail()?.subject).not.toMatch(/urgent/i);
  expect(unwrapped()).toMatch(/could not read whether the new version changed the data: .*permission denied/);
  expect(unwrapped()).not.toMatch(/nothing is urgent/i);
});

it('a container that uses no database of its set has nothing compared', async () => {
  runReader(true);
  forge.scene.engine.runContainer({
    name: 'forge-web-1',
    image: 'nginx:1',
    labels: { ...forge.watched, ...forge.inProject },
  });
  forge.scene.engine.publish('nginx:1', {});
  await forge.update('forge-web-1');
  expect(verdict()).toMatchObject({ status: 'succeeded' });
  expect(forge.scene.store.updates.journal(verdict()?.id ?? '')?.fingerprint).toBeUndefined();
});
