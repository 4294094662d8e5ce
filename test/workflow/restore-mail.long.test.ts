import { PilotError } from '../../src/domain/errors';
import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import { folderToRestore } from '../../src/restores/find-set';
import { migratingReader, READER } from '../support/migrating-reader';
import type { Scene } from '../support/scene';
import { askedRestore, nextProcess, restoreOf } from '../support/restore-scene';

// What the mail of a restore that failed says of the data is what the journal knows, whatever the message says.

type Scripted = (call: CommandCall) => Outcome;

const DISK_FULL = new PilotError('engine_refused', 'The disk is full.');

it('a restore that could not be undone: the mail never says that the previous data is in place', async () => {
  const { forge, scene } = await askedRestore();
  const scripts = forge.specs['postgres:15']?.scripts as Scripts;
  const psql = scripts['psql *'] as Scripted;
  let renamed = false;
  scripts['psql *'] = (call) => {
    if (renamed) return { exitCode: 2, stderr: 'FATAL:  the disk is full' };
    renamed = call.command.some((word) => word.includes(' RENAME TO '));
    return psql(call);
  };
  await scene.settle();
  expect(scene.store.restores.journal(restoreOf(scene).id)).toMatchObject({ stage: 'undoing', swapBegan: true });
  const mail = scene.mails().at(-1);
  expect(mail?.subject).toContain('DOWN, restore failed, the previous data could not be put back');
  expect(mail?.text).not.toMatch(/previous data is in place/);
  scene.close();
});

it('a restore that was undone, after which a container does not start: manual action is required', async () => {
  const { scene } = await askedRestore();
  scene.engine.onCall('extract', () => {
    throw DISK_FULL;
  });
  scene.engine.onCall('start', ({ line }) => {
    if (line.endsWith(' forge-gitea-1')) throw new PilotError('engine_refused', 'port is already allocated');
  });
  await scene.settle();
  const mail = scene.mails().at(-1);
  expect(mail?.subject).toContain('the previous data is in place, but a container is not healthy');
  expect(mail?.text).toContain('port is already allocated');
  scene.close();
});

it.each([
  ['while the data changes places', 'swapping', 'DOWN, restore failed, the previous data could not be put back'],
  ['before the containers are started', 'starting', 'RESTORED BUT UNHEALTHY'],
])(
  'a process that dies %s, and then cannot list them: the mail says which data is there',
  async (_, stage, subject) => {
    const { scene } = await askedRestore();
    const stageNow = () => scene.store.restores.journal(restoreOf(scene).id)?.stage;
    const died = new Promise<void>((resolve) => {
      const die = () => (stageNow() === stage ? (resolve(), scene.engine.die()) : undefined);
      for (const method of ['start', 'exec', 'execInput'] as const) scene.engine.onCall(method, die);
    });
    await Promise.race([died, scene.settle()]);
    expect(stageNow()).toBe(stage);
    const next = nextProcess(scene);
    next.engine.onCall('containers', () => {
      throw new PilotError('engine_refused', 'one container cannot be read');
    });
    await next.settle();
    expect(restoreOf(next).status).toBe('failed');
    expect(next.mails().at(-1)?.subject).toContain(subject);
    next.close();
  },
);

describe('the mail of a restore that succeeded says "all are healthy" only where all were judged', () => {
  const mailOf = (scene: Scene): string =>
    `${scene.mails().at(-1)?.subject} ${scene.mails().at(-1)?.text.replace(/\s+/g, ' ')}`;

  it('names a container that was unhealthy before', async () => {
    const { scene } = await askedRestore({ runner: 'never' });
    await scene.clock.advance(600_000);
    await scene.settle();
    expect(restoreOf(scene)).toMatchObject({ status: 'succeeded' });
    expect(restoreOf(scene).detail).toContain('forge-runner-1 was started again, but not judged');
    expect(mailOf(scene)).toContain('forge-runner-1 was started again, but not judged');
    expect(mailOf(scene)).not.toMatch(/all containers/i);
    scene.close();
  });

  it.each([
    ['a container that had failed', 1, 'forge-runner-1 was not started, because it did not run before.'],
    ['no job that had ended with 0', 0, 'restored, all containers are healthy'],
  ])('names %s', async (_, exitCode, words) => {
    const { scene } = await askedRestore();
    scene.engine.host.stop(scene.engine.host.find('forge-runner-1'), exitCode);
    await scene.settle();
    expect(restoreOf(scene)).toMatchObject({ status: 'succeeded' });
    expect(mailOf(scene)).toContain(words);
    expect(mailOf(scene).includes('all containers')).toBe(exitCode === 0);
    scene.close();
  });

  it('starts and judges the container whose failed update offered it', async () => {
    const forge = migratingReader(false);
    const { engine, store } = forge.scene;
    engine.onCall('createContainer', () => engine.host.start(engine.host.find('forge-runner-1')));
    await forge.update(READER);
    const [update] = forge.scene.updates();
    const [backup] = store.backups.list(1);
    if (update === undefined || backup === undefined) throw new Error('The update or its backup is missing.');
    expect(update).toMatchObject({ status: 'rollback_failed', backupId: backup.id });
    engine.host.stop(engine.host.find(READER), 1);
    const set = { backupId: backup.id, folder: folderToRestore(backup), url: backup.url ?? '', target: null };
    store.restores.insert({ ...set, updateId: update.id, trustedManifest: null });
    await forge.scene.settle();
    expect(restoreOf(forge.scene)).toMatchObject({ status: 'succeeded' });
    expect(engine.isRunning(READER)).toBe(true);
    expect(mailOf(forge.scene)).toContain('restored, all containers are healthy');
    forge.scene.close();
  });
});

it('an nginx before a container that has another address after the restore is reloaded', async () => {
  let reloads = 0;
  const scripts: Scripts = { 'nginx -t': {}, 'nginx -s reload': () => ({ exitCode: (reloads += 1) - reloads }) };
  const { scene } = await askedRestore({}, ({ scene: { engine }, inProject }) => {
    engine.addImage({ reference: 'nginx:1', config: { Env: ['NGINX_VERSION=1.27.0'] }, scripts });
    const labels = { ...inProject, 'diun.enable': 'true' };
    engine.runContainer({ name: 'forge-web-1', image: 'nginx:1', labels });
    engine.runContainer({
      name: 'other-web-1',
      image: 'nginx:1',
      labels: { 'diun.enable': 'true' },
      networks: ['elsewhere'],
    });
  });
  // Each further container on the host shifts the next address.
  const another = (): void => void scene.engine.runContainer({ name: 'another', image: 'nginx:1' });
  scene.engine.onCall('extract', another, { once: true });
  await scene.settle();
  expect(restoreOf(scene)).toMatchObject({ status: 'succeeded' });
  expect(restoreOf(scene).detail).toMatch(/forge-web-1 was reloaded, because forge-gitea-1.* other address/);
  expect(reloads).toBe(1);
  scene.close();
});
