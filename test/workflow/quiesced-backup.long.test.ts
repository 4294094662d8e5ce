import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reconcile } from '../../src/decisions/reconcile';
import { EngineError, StorageError } from '../../src/domain/errors';
import type { FakeEngine } from '../support/fake-engine';
import type { Behaviour, FakeImage } from '../support/fake-engine-types';
import { runForge, type Forge } from '../support/forge-scene';
import { REAL_SHELL } from '../support/real-shell';

// A container that holds data is stopped for its backup, with all that write to the same set; the database is not.

let forge: Forge;
beforeEach(() => (forge = runForge()));
afterEach(() => forge.scene.close());

const acts = (): string[] =>
  forge.scene.engine
    .lines()
    .filter((line) => /^(stop|start|pull|execOutput|createContainer|archive) /.test(line))
    .map((line) => line.split(' ').slice(0, 2).join(' '));

async function update(container: string): Promise<void> {
  await forge.update(container);
}

function publish(reference: string, health: Behaviour = 'healthy'): FakeImage {
  return forge.scene.engine.publish(reference, { ...forge.specs[reference], health });
}

const verdict = () => forge.scene.updates().at(-1);
const running = (): string[] =>
  forge.scene.engine.containerNames().filter((name) => forge.scene.engine.isRunning(name));
const ALL = ['forge-db-1', 'forge-gitea-1', 'forge-runner-1', 'other-app-1'];

it('stops the application and all that depend on the database, after the image was fetched, and starts them at the end', async () => {
  publish('gitea:1');
  await update('forge-gitea-1');
  expect(verdict()).toMatchObject({ status: 'succeeded', error: null });
  const lines = acts();
  const course = [
    'pull docker.io/library/gitea@' + verdict()?.to.digest,
    'stop forge-runner-1',
    'stop forge-gitea-1',
    'execOutput forge-db-1',
    'archive forge-gitea-1',
    'createContainer forge-gitea-1.diun-pilot-new-' + verdict()?.id.slice(-10).toLowerCase(),
    'start forge-gitea-1',
    'start forge-runner-1',
  ];
  expect(course.toSorted((one, other) => lines.indexOf(one) - lines.indexOf(other))).toEqual(course);
  expect(lines).toEqual(expect.arrayContaining(course));
  // The server is only read: its configuration by archive, its data by exec.
  expect(lines.filter((line) => /db-1|other/.test(line) && !/^(execOutput|archive) /.test(line))).toEqual([]);
  expect(forge.scene.store.backups.list(1)).toMatchObject([{ quiesced: true }]);
  expect(running()).toEqual(ALL);
});

it('stops the applications for an update of their database, and looks at them once it serves again', async () => {
  publish('postgres:15');
  await update('forge-db-1');
  expect(verdict()).toMatchObject({ status: 'succeeded' });
  const health = verdict()?.steps.find(({ name }) => name === 'health_check')?.detail;
  expect(health).toMatch(/forge-gitea-1, which depends on it: .*forge-runner-1, which depends on it: /);
  const lines = acts();
  expect(lines.lastIndexOf('start forge-db-1')).toBeLessThan(lines.indexOf('start forge-gitea-1'));
  expect(running()).toEqual(ALL);
});

it('stops nobody for a container without data, and says that the backup is not quiesced', async () => {
  forge.scene.engine.runContainer({
    name: 'forge-web-1',
    image: 'nginx:1',
    labels: { ...forge.watched, ...forge.inProject },
  });
  publish('nginx:1');
  await update('forge-web-1');
  expect(verdict()).toMatchObject({ status: 'succeeded' });
  expect(acts().filter((line) => line.startsWith('stop'))).toEqual([
    'stop forge-web-1.diun-pilot-old-' + verdict()?.id.slice(-10).toLowerCase(),
  ]);
  expect(forge.scene.store.backups.list(1)).toMatchObject([{ quiesced: false }]);
});

function runReport(labels: Record<string, string> = {}): void {
  forge.scene.engine.runContainer({
    name: 'forge-report-1',
    image: 'nginx:1',
    labels: {
      ...forge.watched,
      ...forge.inProject,
      'com.docker.compose.service': 'report',
      'com.docker.compose.depends_on': 'db:service_healthy:true',
      ...labels,
    },
  });
}

it('stops a container that depends on the database for its own update, and wants its name typed before that', async () => {
  runReport();
  publish('nginx:1');
  await update('forge-report-1');
  expect(verdict()).toMatchObject({ status: 'succeeded' });
  expect(forge.scene.store.updates.plan(verdict()?.id ?? '')).toMatchObject({ holdsData: true, restores: true });
  expect(acts().filter((line) => /^stop forge-[a-z]+-1$/.test(line))).toEqual([
    'stop forge-runner-1',
    'stop forge-report-1',
    'stop forge-gitea-1',
  ]);
  expect(forge.scene.store.backups.list(1)).toMatchObject([{ quiesced: true }]);
  expect(running()).toEqual([...ALL.slice(0, 2), 'forge-report-1', ...ALL.slice(2)]);
});

it('leaves one with backup.quiesce=never running, for the update of another and for its own', async () => {
  runReport({ 'backup.quiesce': 'never' });
  publish('gitea:1');
  await update('forge-gitea-1');
  expect(acts().filter((line) => line.includes('forge-report-1'))).toEqual([]);
  expect(forge.scene.store.backups.list(1)).toMatchObject([{ quiesced: true }]);
  publish('nginx:1');
  await update('forge-report-1');
  expect(forge.scene.store.updates.plan(verdict()?.id ?? '')).toMatchObject({ holdsData: false, restores: false });
  expect(forge.scene.store.backups.list(1)).toMatchObject([{ quiesced: false }]);
  expect(verdict()).toMatchObject({ status: 'succeeded' });
});

it('stops nobody for an image that cannot be pulled, and does not pull again after a backup that is not quiesced', async () => {
  publish('gitea:1');
  forge.scene.engine.failNext('pull', new EngineError('pull_failed', 'toomanyrequests: pull rate limit'));
  await update('forge-gitea-1');
  expect(verdict()).toMatchObject({ status: 'failed', error: { code: 'pull_failed' } });
  expect(verdict()?.error?.message).toContain('pull rate limit');
  expect(acts().filter((line) => /^(stop|start) /.test(line))).toEqual([]);
});

it('was offline since its stop for the backup, also if another one was started externally meanwhile', async () => {
  const { scene } = forge;
  const slow = (): void => {
    void scene.clock.advance(20 * 60_000);
    scene.engine.host.start(scene.engine.host.find('forge-runner-1'));
  };
  scene.engine.onCall('archive', slow, { once: true });
  publish('gitea:1', 'exits');
  await update('forge-gitea-1');
  expect(scene.store.backups.list(1)).toMatchObject([{ quiesced: false }]);
  expect(scene.mails().at(-1)?.text.replaceAll('\n', ' ')).toMatch(/may have been offline .* \(at most 20/);
});

it('is not quiesced where a writer owns the network that the updated container uses: it cannot be stopped', async () => {
  const uses = { 'com.docker.compose.service': 'vpn', 'com.docker.compose.depends_on': 'db:service_healthy:true' };
  const { engine, store } = forge.scene;
  const vpn = engine.runContainer({
    name: 'forge-vpn-1',
    image: 'nginx:1',
    labels: { ...forge.inProject, ...uses },
  });
  const labels = { ...forge.watched, ...forge.inProject, ...uses, 'com.docker.compose.service': 'report' };
  const hostConfig = { NetworkMode: `container:${vpn}` };
  engine.runContainer({ name: 'forge-report-1', image: 'nginx:1', labels, hostConfig });
  publish('nginx:1');
  await update('forge-report-1');
  expect(verdict()).toMatchObject({ status: 'succeeded' });
  expect(store.backups.list(1)).toMatchObject([{ quiesced: false }]);
  expect(acts().filter((line) => /^stop forge-[a-z]+-1$/.test(line))).toEqual([]);
});

it('leaves a paused one paused: it would run afterwards', async () => {
  const { engine, store } = forge.scene;
  const list = engine.containers.bind(engine);
  engine.containers = async () =>
    (await list()).map((each) => (each.name === 'forge-runner-1' ? { ...each, status: 'paused' } : each));
  publish('gitea:1');
  await update('forge-gitea-1');
  expect(verdict()).toMatchObject({ status: 'succeeded' });
  expect(store.backups.list(1)).toMatchObject([{ quiesced: false }]);
  expect(acts().filter((line) => /^(stop|start) forge-runner-1$/.test(line))).toEqual([]);
});

it('starts all of them again when the backup fails, and says that nothing was changed', async () => {
  publish('gitea:1');
  forge.scene.engine.failNext('execOutput', new EngineError('exec_failed', 'pg_dumpall: server closed the connection'));
  await update('forge-gitea-1');
  expect(verdict()).toMatchObject({ status: 'failed', error: { code: 'backup_failed' } });
  expect(verdict()?.reason).toContain('Stopped for the backup and started again: forge-gitea-1, forge-runner-1');
  const mail = forge.scene.mails().at(-1)?.text.replaceAll('\n', ' ');
  expect(mail).toContain('Stopped for the backup, and running again: forge-gitea-1, forge-runner-1.');
  expect(mail).not.toContain('was never stopped');
  expect(running()).toEqual(ALL);
});

it.each<[string, string, (engine: FakeEngine) => void]>([
  [
    'the backup',
    'backup_failed',
    (engine) => engine.failNext('execOutput', new EngineError('exec_failed', 'pg_dumpall: server closed')),
  ],
  [
    'the creation of the new container',
    'recreate_failed',
    (engine) =>
      engine.onCall('createContainer', ({ line }) => {
        if (line.includes('.diun-pilot-new-')) throw new EngineError('engine_refused', 'invalid mount');
      }),
  ],
])(
  'needs a person, and says so truthfully, when one of them does not come back after %s failed',
  async (_, code, breaks) => {
    publish('gitea:1');
    breaks(forge.scene.engine);
    forge.scene.engine.onCall('start', (call) => {
      if (call.line === 'start forge-runner-1') throw new EngineError('engine_refused', 'port is already allocated');
    });
    await update('forge-gitea-1');
    expect(verdict()).toMatchObject({ status: 'rollback_failed', error: { code } });
    expect(verdict()?.error?.message).toMatch(/forge-runner-1 does not start: port is already allocated/);
    const mail = forge.scene.mails().at(-1);
    expect(mail?.subject).toContain('a container stopped for the backup did not restart');
    expect(mail?.text).not.toMatch(/restore the data|neither the new nor the old/i);
    expect(running()).toEqual(ALL.filter((name) => name !== 'forge-runner-1'));
  },
);

it('starts all again after a rollback, the old one first', async () => {
  publish('gitea:1', 'exits');
  await update('forge-gitea-1');
  expect(verdict()).toMatchObject({ status: 'rolled_back' });
  expect(running()).toEqual(ALL);
  const lines = acts();
  expect(lines.lastIndexOf('start forge-gitea-1')).toBeLessThan(lines.lastIndexOf('start forge-runner-1'));
});

it('stops nobody for an update that the preflight refuses', async () => {
  forge.scene.engine.publish('postgres:15', { ...forge.specs['postgres:15'], config: { Env: ['PG_MAJOR=14'] } });
  await update('forge-db-1');
  expect(verdict()).toMatchObject({ status: 'failed', error: { code: 'preflight_failed' } });
  expect(acts().filter((line) => line.startsWith('stop'))).toEqual([]);
});

it('stops nobody when the backup could not be kept anyway', async () => {
  publish('gitea:1');
  writeFileSync(join(forge.scene.folder, 'backups'), 'a file where the folder should be');
  await update('forge-gitea-1');
  expect(verdict()).toMatchObject({ status: 'failed', error: { code: 'storage_refused' } });
  expect(verdict()?.steps.map(({ name, status }) => `${name} ${status}`)).toEqual(['backup failed']);
  expect(acts().filter((line) => line.startsWith('stop'))).toEqual([]);
  expect(forge.scene.mails().map(({ kind }) => kind)).toEqual(['update_failed']);
  expect(forge.scene.mails()[0]?.subject).toContain('update failed, nothing was changed – nothing urgent');
  expect(forge.scene.store.refusals.all()).toEqual([]);
});

it('does not wait for one that was ill before', async () => {
  forge.scene.close();
  forge = runForge({ runner: 'never' });
  await forge.scene.clock.sleep(600_000);
  publish('gitea:1');
  await update('forge-gitea-1');
  expect(verdict()).toMatchObject({ status: 'succeeded' });
  expect(forge.scene.engine.isRunning('forge-runner-1')).toBe(true);
});

describe('an application whose own probe fails', () => {
  const withProbe = (fails: () => boolean): Promise<void> => {
    forge.scene.close();
    forge = runForge({ labels: { 'update.probe': 'exec:is-well', 'update.probe.timeout': '5s' } });
    forge.scene.engine.host.find('forge-gitea-1').image.spec.scripts = {
      ...REAL_SHELL,
      'is-well': () => (fails() ? { exitCode: 1, stderr: 'its cache does not answer' } : { stdout: 'fine' }),
    };
    publish('postgres:15');
    return forge.scene.clock.sleep(600_000);
  };
  const stopped = (): boolean => forge.scene.engine.lines().some((line) => line.startsWith('stop '));
  const health = () => verdict()?.steps.find(({ name }) => name === 'health_check')?.detail;

  it('does not roll back the update of its database if it failed before, and is named', async () => {
    await withProbe(() => true);
    await update('forge-db-1');
    expect([verdict()?.status, verdict()?.error]).toEqual(['succeeded', null]);
    expect(health()).toContain('forge-gitea-1, which depends on it, was not judged, because it was unhealthy before: ');
    expect(health()).toContain('its cache does not answer');
    expect(running()).toEqual(ALL);
  });

  it('rolls it back if it was healthy before: the mail says that the database runs, and names the application', async () => {
    await withProbe(stopped);
    await update('forge-db-1');
    expect(verdict()).toMatchObject({ status: 'rollback_failed', error: { code: 'other_unhealthy' } });
    const mail = forge.scene.mails().at(-1);
    expect(mail?.subject).toContain('rolled back, another container does not respond');
    expect(mail?.text).toContain('forge-gitea-1 is not healthy');
    expect(mail?.text).not.toContain('is down');
  });

  it('is judged by what was seen before its stop, not right after the start that follows a crash', async () => {
    let asked = 0;
    await withProbe(() => stopped() && ++asked <= 2);
    await forge.request('forge-db-1');
    await Promise.race([forge.scene.engine.crashAt('stop', 'after'), forge.scene.settle()]);
    forge.scene = forge.scene.restart();
    await forge.scene.settle();
    expect(verdict()?.status).toBe('succeeded');
    expect(health()).toContain('forge-gitea-1, which depends on it: is-well exits 0');
  });
});

it.each(['healthy', 'exits'] as const)(
  'with a crash at every call and an image that is %s: all serve at the end',
  async (health) => {
    const ends = health === 'healthy' ? 'succeeded' : 'rolled_back';
    forge.scene.close();
    for (let at = 1, over = false; !over; at++) {
      for (const when of ['before', 'after'] as const) {
        forge = runForge();
        publish('gitea:1', health);
        await forge.request('forge-gitea-1');
        const died = forge.scene.engine.crashAt(at, when).then(() => 'died');
        over = (await Promise.race([died, forge.scene.settle()])) !== 'died';
        const scene = forge.scene.restart();
        await scene.settle();
        const where = `crash ${when} call ${at}`;
        expect([where, scene.updates().map(({ status }) => status)]).toEqual([where, [ends]]);
        expect([where, scene.engine.containerNames()]).toEqual([where, ALL]);
        expect([where, ALL.filter((name) => !scene.engine.isRunning(name))]).toEqual([where, []]);
        scene.close();
      }
    }
    forge = runForge();
  },
  120_000,
);

it('refuses the update once, with all containers running again, when the storage is reached through one that the backup stops', async () => {
  const { storage } = forge.scene.deps;
  const stored = { ...storage };
  let asked = 0;
  storage.put = (key, content) => {
    asked += 1;
    if (forge.scene.engine.isRunning('forge-runner-1')) return stored.put(key, content);
    return Promise.reject(new StorageError('storage_unreachable', 'The storage s3.local does not answer.'));
  };
  publish('gitea:1');
  await update('forge-gitea-1');
  expect(verdict()).toMatchObject({ status: 'failed', error: { code: 'storage_needs_stopped' } });
  expect(verdict()?.error?.message).toMatch(/forge-runner-1.*The storage s3\.local does not answer/s);
  expect(asked).toBe(2);
  expect(forge.scene.store.backups.list(1)).toEqual([]);
  expect(running()).toEqual(ALL);
  const { length } = forge.scene.updates();
  await forge.scene.clock.advance(26 * 3_600_000);
  expect((await reconcile(forge.scene.deps)).outcome).toMatch(/0 updates found/);
  expect(forge.scene.updates()).toHaveLength(length);
});

it('stops none for an image that declares a volume where nothing is mounted, which is refused', async () => {
  forge.scene.engine.publish('gitea:1', { ...forge.specs['gitea:1'], config: { Volumes: { '/cache': {} } } });
  await update('forge-gitea-1');
  expect(verdict()).toMatchObject({ status: 'failed', error: { code: 'recreate_refused' } });
  expect(verdict()?.error?.message).toContain('Mount a volume at /cache.');
  expect(verdict()?.steps.at(-1)).toMatchObject({ name: 'preflight', status: 'failed' });
  expect(acts().filter((line) => line.startsWith('stop'))).toEqual([]);
  expect(running()).toEqual(ALL);
});
