import { EngineError } from '../../src/domain/errors';
import { queueScheduledBackups } from '../../src/backups/backup-queue';
import { planOfRestore } from '../../src/restores/restore-queue';
import type { BackupRecord } from '../../src/domain/backups/backup';
import type { Update } from '../../src/domain/update';
import { requestUpdate } from '../../src/decisions/request-update';
import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import { aDump } from '../support/fake-postgres';
import { runForgeStack, type ForgeStack, type ForgeStackOptions } from '../support/swarm/forge-stack';

// A service with data: its stack is backed up first, with what may be scaled to 0 at 0 until the new version is healthy.

let forge: ForgeStack;
const open = (options: ForgeStackOptions = {}): void => void (forge = runForgeStack(options));
afterEach(() => forge.scene.close());

const last = (): Update => forge.scene.updates().at(-1) as Update;
const backup = (): BackupRecord | undefined => forge.scene.store.backups.list(1)[0];
const detailOf = (step: string): string => last().steps.find(({ name }) => name === step)?.detail ?? '';
const replicas = async (): Promise<(number | undefined)[]> =>
  (await forge.scene.swarm.services()).map(({ Spec }) => Spec.Mode.Replicated?.Replicas);
const aside = (): string[] => forge.scene.engine.containerNames().filter((name) => name.includes('.diun-pilot-'));

describe('an update of a service with files', () => {
  it('scales it to 0, backs its stack up, and starts the new image with the replicas that it had', async () => {
    open();
    const next = forge.publish('gitea:1');
    await forge.update('gitea');
    expect(last()).toMatchObject({ status: 'succeeded', error: null });
    expect(forge.scene.swarm.lines).toEqual(['scale 0 forge_gitea', `scale 1 forge_gitea gitea:1@${next.digest}`]);
    expect(backup()).toMatchObject({ status: 'succeeded', quiesced: true, project: 'forge', updateId: last().id });
    expect(backup()?.items.map(({ container, kind, name }) => `${container} ${kind} ${name}`)).toEqual([
      'forge_db globals globals',
      'forge_db database app',
      'forge_db database postgres',
      'forge_gitea files /data',
    ]);
    expect(detailOf('backup')).toMatch(/4 items.*with forge_gitea stopped, read back and verified/);
    expect(detailOf('health_check')).toContain('the schema of its databases is unchanged');
    expect(await replicas()).toEqual([1, 1, 1]);
    expect(aside()).toEqual([]);
  });

  it('removes what its files were read through also when the engine refuses that, and lists it until then', async () => {
    open();
    forge.publish('gitea:1');
    let refused = 0;
    forge.scene.engine.onCall('remove', () => {
      if (++refused <= 2) throw new EngineError('engine_refused', 'device or resource busy');
    });
    await forge.update('gitea');
    expect(last().status).toBe('succeeded');
    const [name = ''] = aside();
    expect(forge.scene.store.keptContainers.all()).toMatchObject([{ name, leftover: true, updateId: last().id }]);
    await forge.scene.clock.advance(600_000);
    await forge.scene.settle();
    expect([aside(), forge.scene.store.keptContainers.all()]).toEqual([[], []]);
  });

  it.each([1, 2])('is not rolled back by a refused list of containers at its end (the last but %d)', async (back) => {
    open();
    forge.publish('gitea:1');
    let lists = 0;
    forge.scene.engine.onCall('containers', () => void lists++);
    await forge.update('gitea');
    const all = lists;
    forge.scene.close();
    open();
    forge.publish('gitea:1');
    lists = 0;
    forge.scene.engine.onCall('containers', () => {
      if (++lists === all - back + 1) throw new EngineError('engine_refused', 'not now');
    });
    await forge.update('gitea');
    expect([last().status, aside()]).toEqual(['succeeded', []]);
  });

  it('announces the downtime, and what is backed up', async () => {
    open({ gitea: { 'update.policy': 'manual' } });
    const { digest } = forge.publish('gitea:1');
    forge.scene.hear('docker.io/library/gitea:1', digest);
    await forge.scene.settle();
    const plan = forge.scene.store.updates.plan(last().id);
    expect(plan).toMatchObject({ holdsData: true, restores: true });
    expect(plan?.backup).toEqual([
      'forge_db: every PostgreSQL database, with the roles.',
      'forge_gitea: the files under /data.',
    ]);
    expect(plan?.course[0]).toMatch(/^For the backup, forge_gitea is scaled to 0/);
    expect(plan?.risks[0]).toMatch(
      /^Downtime: forge_gitea is offline from the start of the backup .* until the new forge_gitea/,
    );
  });

  it('is not scaled to 0 without the label: it is backed up while it runs, and that is said', async () => {
    open({ gitea: { 'backup.quiesce': 'never' } });
    const next = forge.publish('gitea:1');
    await forge.update('gitea');
    expect(last()).toMatchObject({ status: 'succeeded' });
    expect(forge.scene.swarm.lines).toEqual([`update forge_gitea gitea:1@${next.digest}`]);
    expect(backup()).toMatchObject({ status: 'succeeded', quiesced: false });
    const plan = forge.scene.store.updates.plan(last().id);
    expect(plan).toMatchObject({ holdsData: true, restores: false });
    expect(plan?.risks.join(' ')).toMatch(/forge_gitea is backed up while it runs.*backup\.quiesce: allowed/);
  });

  it('is not called quiesced while a service of its stack that may write goes on', async () => {
    open({ web: { 'backup.quiesce': '' } });
    forge.publish('gitea:1');
    await forge.update('gitea');
    expect(last()).toMatchObject({ status: 'succeeded' });
    expect(backup()).toMatchObject({ status: 'succeeded', quiesced: false });
    expect(forge.scene.store.updates.plan(last().id)).toMatchObject({ restores: false });
  });

  it('whose backup fails is scaled back, and nothing is changed', async () => {
    open();
    forge.publish('gitea:1');
    forge.scene.engine.onCall('archive', () => {
      if (forge.scene.swarm.lines.length > 0) throw new Error('the disk is broken');
    });
    await forge.update('gitea');
    expect(last()).toMatchObject({ status: 'failed' });
    expect(last().reason).toContain('still runs gitea:1 as before. Scaled to 0 for the backup and back: forge_gitea');
    expect(forge.scene.mails().at(-1)?.text).toMatch(/forge_gitea\. Each\s+one\s+that\s+was\s+healthy/);
    expect(forge.scene.swarm.lines).toEqual(['scale 0 forge_gitea', 'scale 1 forge_gitea']);
    expect(await replicas()).toEqual([1, 1, 1]);
    expect(aside()).toEqual([]);
  });

  it('whose image cannot be pulled is not scaled to 0, and the reason is that of the pull', async () => {
    open();
    forge.publish('gitea:1');
    forge.scene.engine.failNext(
      'pull',
      new EngineError('pull_failed', 'gitea:1 could not be pulled: manifest unknown'),
    );
    await forge.update('gitea');
    expect(last()).toMatchObject({ status: 'failed', error: { code: 'pull_failed' } });
    expect(last().error?.message).toContain('manifest unknown');
    expect(forge.scene.swarm.lines).toEqual([]);
    expect(aside()).toEqual([]);
  });

  it('whose new image fails is back on its old image, and the data is as it was', async () => {
    open();
    const { digest } = forge.publish('gitea:1', { health: 'exits' });
    await forge.update('gitea');
    expect(last()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(detailOf('rollback')).toBe('1 of 1 task runs the image');
    expect(forge.scene.swarm.lines.slice(1)).toEqual([
      `scale 1 forge_gitea gitea:1@${digest}`,
      `scale 0 forge_gitea gitea:1@${forge.images['gitea:1']?.digest}`,
      'scale 1 forge_gitea',
    ]);
    expect(await replicas()).toEqual([1, 1, 1]);
    expect(aside()).toEqual([]);
  });
});

describe('a new version that changes the database and fails', () => {
  const migrate = (): void => {
    forge.scene.swarm.onUpdate = (when) => {
      if (when === 'after' && forge.scene.swarm.lines.at(-1)?.includes(`@${moved}`))
        forge.databases['app'] = aDump('app', { version: '2', tables: ['note', 'user'] });
    };
  };
  let moved = '';

  it('goes back with its data, which is restored before the old version runs on it', async () => {
    open();
    const before = aDump('app', { version: '1', tables: ['user'] });
    forge.databases['app'] = before;
    moved = forge.publish('gitea:1', { health: 'exits' }).digest;
    migrate();
    await forge.update('gitea');
    expect(last()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(last().reason).toMatch(
      /its data was restored from the backup.*The new version had changed the data: database app of forge_db/,
    );
    expect(
      last()
        .steps.map(({ name, status }) => `${name} ${status}`)
        .slice(-4),
    ).toEqual([
      'rollback succeeded',
      'rollback_health_check skipped',
      'restore succeeded',
      'restore_health_check succeeded',
    ]);
    expect(forge.databases['app']?.equals(before)).toBe(true);
    expect(await replicas()).toEqual([1, 1, 1]);
    expect(aside()).toEqual([]);
  });

  it('goes back with its data, and a database that it created is reported as left', async () => {
    open();
    moved = forge.publish('gitea:1', { health: 'exits' }).digest;
    forge.scene.swarm.onUpdate = (when) => {
      if (when === 'after' && forge.scene.swarm.lines.at(-1)?.includes(`@${moved}`))
        forge.databases['queue'] ??= aDump('queue', { version: '1', tables: [] });
    };
    await forge.update('gitea');
    expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
    expect(last().reason).toMatch(/its tasks run gitea:1 again .* still exists: database queue of forge_db\./);
    const mail = forge.scene.mails().at(-1);
    expect(mail?.subject).toContain('rolled back, but a new database is still there');
    expect(mail?.text.replace(/\s+/g, ' ')).toContain('so the data was restored from the !! backup');
    const task = (name: string) => `$(docker ps -q --filter label=com.docker.swarm.service.name=${name})`;
    expect(mail?.text).toContain(`docker exec ${task('forge_db')} dropdb -U postgres -- 'app.diun-pilot-before-`);
    expect(mail?.text).toContain(
      `--volumes-from ${task('forge_gitea')} --entrypoint rm gitea:1 -rf '/data/.diun-pilot-`,
    );
    expect(await replicas()).toEqual([1, 1, 1]);
  });

  it('without the label is told to have changed the data, which is not restored', async () => {
    open({ gitea: { 'backup.quiesce': 'never' } });
    forge.databases['app'] = aDump('app', { version: '1', tables: ['user'] });
    moved = forge.publish('gitea:1', { health: 'exits' }).digest;
    migrate();
    await forge.update('gitea');
    expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
    expect(last().reason).toContain('on data that the new version changed');
    const mail = forge.scene.mails().at(-1)?.text ?? '';
    expect(mail).toContain('1 table added (note)');
    expect(mail).not.toMatch(/old container|diun-pilot restore/);
  });
});

it('after which the databases cannot be read does not claim that nothing is urgent', async () => {
  open();
  const scripts = forge.specs['postgres:15']?.scripts as Scripts;
  const psql = scripts['psql *'] as (call: CommandCall) => Outcome;
  scripts['psql *'] = (call) =>
    call.env.some((line) => line.includes('default_transaction_read_only=on'))
      ? { exitCode: 1, stderr: 'ERROR:  permission denied for table pg_authid' }
      : psql(call);
  forge.publish('gitea:1', { health: 'exits' });
  await forge.update('gitea');
  expect(last()).toMatchObject({ status: 'rolled_back' });
  const mail = forge.scene.mails().at(-1);
  expect(mail?.subject).toContain('check its data');
  expect(mail?.subject).not.toMatch(/urgent/i);
  const text = mail?.text.replace(/\s+/g, ' ');
  expect(text).not.toMatch(/urgent/i);
  expect(text).toMatch(/could not read whether the new version changed the data: .*permission denied/);
});

it('of a service that was removed meanwhile does not say that it still runs', async () => {
  open();
  const { scene } = forge;
  forge.publish('gitea:1');
  await requestUpdate(scene.deps, { container: 'forge_gitea' });
  const all = scene.swarm.services.bind(scene.swarm);
  scene.swarm.services = async () => (await all()).filter(({ Spec }) => Spec.Name !== 'forge_gitea');
  await scene.settle();
  expect(last()).toMatchObject({ status: 'failed', error: { code: 'service_not_found' } });
  const mail = scene.mails().at(-1);
  expect(`${mail?.subject} ${mail?.text}`).not.toMatch(/urgent|Still running/i);
  expect(mail?.text.replace(/\s+/g, ' ')).toContain('The service forge_gitea no longer exists');
});

describe('an update of the database', () => {
  it('backs it up while it runs, with the services that write to it at 0', async () => {
    open();
    const next = forge.publish('postgres:15');
    await forge.update('db');
    expect(last()).toMatchObject({ status: 'succeeded' });
    expect(forge.scene.swarm.lines).toEqual([
      'scale 0 forge_gitea',
      `update forge_db postgres:15@${next.digest}`,
      'scale 1 forge_gitea',
    ]);
    expect(backup()).toMatchObject({ quiesced: true });
    expect(detailOf('preflight')).toContain('its data directory is of PostgreSQL 15, as is the new image');
    expect(detailOf('health_check')).toContain(
      'forge_gitea, which was scaled to 0 for the backup: 1 of 1 task runs the image',
    );
  });

  it('to another major is refused before anything is scaled', async () => {
    open();
    forge.publish('postgres:15', { config: { Env: ['PG_MAJOR=16'] } });
    await forge.update('db');
    expect(last()).toMatchObject({ status: 'failed', error: { code: 'preflight_failed' } });
    expect(last().error?.message).toContain('is of PostgreSQL 15, and');
    expect(forge.scene.swarm.lines).toEqual([]);
  });
});

it('an update of another service of the stack has a backup, too', async () => {
  open();
  forge.publish('nginx:1');
  await forge.update('web');
  expect(last()).toMatchObject({ status: 'succeeded' });
  expect(backup()).toMatchObject({ status: 'succeeded', quiesced: false, updateId: last().id });
});

describe('a service whose data cannot be backed up is not updated', () => {
  it.each<[string, ForgeStackOptions, RegExp]>([
    [
      'with several replicas',
      { replicas: 2 },
      /forge_gitea has 2 replicas.*exactly one replica.*docker service scale forge_gitea=1/,
    ],
    ['on another node', { node: 'node-b' }, /The data of forge_gitea is on the node node-b.*own node \(node-here\)/],
    [
      'outside of its volumes',
      { gitea: { 'backup.paths': '/etc/gitea' } },
      /\/etc\/gitea of forge_gitea is in no named volume/,
    ],
    ['of an unknown kind', { gitea: { 'backup.kind': 'mysql' } }, /backup\.kind, which cannot be read/],
  ])('%s', async (_, options, reason) => {
    open(options);
    forge.publish('gitea:1');
    await expect(requestUpdate(forge.scene.deps, { container: 'forge_gitea' })).rejects.toMatchObject({
      code: 'service_refused',
      message: expect.stringMatching(reason),
    });
    expect(forge.scene.swarm.lines).toEqual([]);
  });

  it('nor is another service of its stack', async () => {
    open({ replicas: 2 });
    forge.publish('nginx:1');
    await expect(requestUpdate(forge.scene.deps, { container: 'forge_web' })).rejects.toMatchObject({
      message: expect.stringMatching(
        /forge_web is in the stack forge with forge_gitea, whose data cannot be backed up/,
      ),
    });
  });
});

describe('backups without an update', () => {
  it('are taken by schedule of each stack, and nothing is scaled for them', async () => {
    open();
    expect(await queueScheduledBackups(forge.scene.deps)).toMatchObject({ outcome: 'Requested: forge.' });
    await forge.scene.settle();
    expect(backup()).toMatchObject({ status: 'succeeded', quiesced: false, reason: 'schedule' });
    expect(backup()?.items).toHaveLength(4);
    expect(forge.scene.swarm.lines).toEqual([]);
  });

  it('fail with the reason where the data is on another node', async () => {
    open({ node: 'node-b' });
    await queueScheduledBackups(forge.scene.deps);
    await forge.scene.settle();
    expect(backup()).toMatchObject({ status: 'failed', error: { code: 'backup_failed' } });
    expect(backup()?.error?.message).toContain('is on the node node-b');
  });

  it('are not restored by the operator, and the refusal says how it is done', async () => {
    open();
    await queueScheduledBackups(forge.scene.deps);
    await forge.scene.settle();
    await expect(planOfRestore(forge.scene.deps, { backup: backup()?.id ?? '' })).rejects.toMatchObject({
      code: 'restore_refused',
      message: expect.stringMatching(/forge_db is a Swarm service.*docs\/swarm\.md/),
    });
  });
});
