import { requestBackups } from '../../src/backups/backup-queue';
import { requestRenewal } from '../../src/certificates/renewal-queue';
import { messageOf } from '../../src/domain/errors';
import { readContainers } from '../../src/containers/read-containers';
import { workOnce } from '../../src/queue/worker';
import { runForge } from '../support/forge-scene';
import type { ImageSpec } from '../support/fake-engine-types';
import { runForgeStack } from '../support/swarm/forge-stack';
import { diskIsFull, refuseWrite } from '../support/refuse-write';
import { rehearsalOf, rehearsalScene } from '../support/rehearsal-scene';
import { openRenewalScene } from '../support/renewal-scene';
import { askedRestore, dataOf, restoreOf } from '../support/restore-scene';
import { nginx, openScene, type Scene } from '../support/scene';

// The disk of diun-pilot is full or read-only, or another process has its database; the engine and the applications work.

let scene: Scene;
afterEach(() => scene.close());

describe('progress that cannot be written decides no verdict', () => {
  const warnings = () => scene.log.filter(({ message }) => message.startsWith('progress cannot be written'));

  it('a healthy update succeeds', async () => {
    scene = openScene();
    scene.engine.addImage({ reference: 'nginx:stable' });
    scene.engine.runContainer(nginx());
    refuseWrite(scene.store.updates, 'stepDetail');
    scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
    await scene.settle();
    expect(scene.updates()).toMatchObject([{ status: 'succeeded', error: null }]);
    expect(warnings()).toContainEqual(expect.objectContaining({ level: 'warn', container: 'web-nginx-1' }));
  });

  it('a backup, whose bytes are counted in a stream, is taken', async () => {
    const forge = runForge();
    ({ scene } = forge);
    refuseWrite(scene.store.updates, 'stepDetail');
    scene.engine.publish('gitea:1', forge.specs['gitea:1']);
    await forge.update('forge-gitea-1');
    expect(scene.updates()).toMatchObject([{ status: 'succeeded', error: null }]);
    expect(scene.store.backups.list(1)).toMatchObject([{ status: 'succeeded' }]);
    expect(warnings()).not.toEqual([]);
  });

  it('a restore succeeds', async () => {
    const asked = await askedRestore();
    ({ scene } = asked);
    const { restores } = scene.store;
    const change = restores.change.bind(restores);
    restores.change = (id, fields) => {
      if (Object.keys(fields).join() === 'detail') throw diskIsFull();
      return change(id, fields);
    };
    await scene.settle();
    expect(restoreOf(scene)).toMatchObject({ status: 'succeeded', error: null });
    expect(dataOf(scene.engine, asked.forge.databases)).not.toEqual(asked.changed);
    expect(warnings()).not.toEqual([]);
  });

  it('a rehearsal passes', async () => {
    const forge = rehearsalScene();
    ({ scene } = forge);
    refuseWrite(scene.store.rehearsals, 'progress');
    scene.hear('docker.io/library/gitea:1', forge.digest);
    await scene.settle();
    expect(rehearsalOf(scene)).toMatchObject({ status: 'passed' });
    expect(warnings()).not.toEqual([]);
  });
});

type Write = 'beginStep' | 'endStep' | 'saveJournal' | 'saveRollout' | 'change';

/** Refused once, at the `nth` write of this kind. */
function refuseOnce(write: Write, nth: number): void {
  const { updates } = scene.store;
  const real = updates[write].bind(updates) as (...given: unknown[]) => unknown;
  let writes = 0;
  Object.assign(updates, {
    [write]: (...given: unknown[]) => {
      if (++writes === nth) throw diskIsFull();
      return real(...given);
    },
  });
}

/** The turn that meets the refusal ends with it, or has no need of what it could not write. */
async function untilItIsWritten(): Promise<void> {
  const met = await scene.settle().catch(messageOf);
  expect(met ?? 'disk is full').toContain('disk is full');
  await scene.settle();
}

describe('an entry of the journal that cannot be written decides no verdict', () => {
  const WRITES = (['beginStep', 'endStep', 'saveJournal', 'change'] as const).flatMap((write) =>
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((nth) => [write, nth] as const),
  );

  it.each(WRITES)('a healthy update goes on: %s, number %i', async (write, nth) => {
    scene = openScene();
    scene.engine.addImage({ reference: 'nginx:stable' });
    scene.engine.runContainer(nginx());
    refuseOnce(write, nth);
    scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
    await untilItIsWritten();
    expect(scene.updates()).toMatchObject([{ status: 'succeeded', error: null }]);
    // Where the entry of the cleanup was refused, the old container is removed ten minutes later.
    await scene.clock.advance(660_000);
    await scene.settle();
    expect(scene.engine.containerNames()).toEqual(['web-nginx-1']);
  });

  it.each(WRITES)('one that fails is rolled back: %s, number %i', async (write, nth) => {
    scene = openScene();
    scene.engine.addImage({ reference: 'nginx:stable' });
    scene.engine.runContainer(nginx());
    refuseOnce(write, nth);
    scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { health: 'exits' }).digest);
    await untilItIsWritten();
    expect(scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'unhealthy' } }]);
    expect(scene.engine.isRunning('web-nginx-1')).toBe(true);
    expect(scene.engine.containerNames()).toEqual(['web-nginx-1']);
  });
});

describe('an entry of a rollout that cannot be written decides no verdict', () => {
  const LABELS = { 'diun.enable': 'true', 'update.policy': 'automatic', 'com.docker.stack.namespace': 'site' };
  const WRITES = (['beginStep', 'endStep', 'saveRollout', 'change'] as const).flatMap((write) =>
    [1, 2, 3, 4, 5, 6, 7, 8].map((nth) => [write, nth] as const),
  );

  async function rolledOut(write: Write, nth: number, spec: ImageSpec): Promise<string> {
    scene = openScene();
    scene.swarm.init();
    const old = scene.engine.publish('nginx:1.28');
    scene.swarm.addService({ name: 'site_web', image: `nginx:1.28@${old.digest}`, labels: LABELS });
    refuseOnce(write, nth);
    const next = scene.engine.publish('nginx:1.28', spec);
    scene.hear('docker.io/library/nginx:1.28', next.digest);
    await untilItIsWritten();
    const image = (await scene.swarm.service('site_web')).Spec.TaskTemplate.ContainerSpec?.Image ?? '';
    return image.endsWith(next.digest) ? 'new' : image.endsWith(old.digest) ? 'old' : image;
  }

  it.each(WRITES)('of a good image: %s, number %i', async (write, nth) => {
    expect(await rolledOut(write, nth, {})).toBe('new');
    expect(scene.updates()).toMatchObject([{ status: 'succeeded', error: null }]);
  });

  it.each(WRITES)('of one that fails: %s, number %i', async (write, nth) => {
    expect(await rolledOut(write, nth, { health: 'exits' })).toBe('old');
    expect(scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'unhealthy' } }]);
  });
});

describe('what was stopped for the backup is started', () => {
  const NAMES = ['forge-db-1', 'forge-gitea-1', 'forge-runner-1', 'other-app-1'];
  const running = (): string[] => scene.engine.containerNames().filter((name) => scene.engine.isRunning(name));
  const policies = () => NAMES.map((name) => scene.engine.container(name).HostConfig.RestartPolicy?.Name);

  it('when the record of its restart policy cannot be removed, and that is done later', async () => {
    const forge = runForge({ policy: { Name: 'always' } });
    ({ scene } = forge);
    const hasRoom = refuseWrite(scene.store.disarmed, 'remove');
    scene.engine.publish('gitea:1', forge.specs['gitea:1']);
    await forge.update('forge-gitea-1');
    expect(scene.updates()).toMatchObject([{ status: 'succeeded', error: null }]);
    expect(running()).toEqual(expect.arrayContaining(NAMES));
    expect(policies()).toEqual(NAMES.map(() => 'always'));
    expect(scene.store.disarmed.all()).not.toEqual([]);
    hasRoom();
    await scene.clock.advance(600_000);
    await scene.settle();
    expect(scene.store.disarmed.all()).toEqual([]);
  });

  it('when the database cannot be written from the backup on', async () => {
    const forge = runForge({ policy: { Name: 'always' } });
    ({ scene } = forge);
    scene.engine.publish('gitea:1', forge.specs['gitea:1']);
    await forge.request('forge-gitea-1');
    let hasRoom: (() => void)[] = [];
    scene.engine.onCall(
      'archive',
      () => {
        const { backups, updates, disarmed } = scene.store;
        const ofUpdates = ['change', 'saveJournal', 'beginStep', 'stepDetail', 'endStep'] as const;
        hasRoom = [
          refuseWrite(backups, 'change'),
          ...ofUpdates.map((write) => refuseWrite(updates, write)),
          refuseWrite(disarmed, 'remove'),
        ];
      },
      { once: true },
    );
    await expect(scene.settle()).rejects.toThrow('disk is full');
    expect(running()).toEqual(NAMES);
    hasRoom.forEach((allow) => allow());
    await scene.settle();
    expect(running()).toEqual(NAMES);
    expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  });
});

it('a service that was scaled to 0 for its backup runs again, though the database cannot be written', async () => {
  const stack = runForgeStack();
  ({ scene } = stack);
  const replicas = async (): Promise<unknown> =>
    (await scene.swarm.service('forge_gitea')).Spec.Mode.Replicated?.Replicas;
  stack.publish('gitea:1');
  let hasRoom: (() => void)[] = [];
  const refuse = (): void => {
    const writes = ['change', 'saveRollout', 'beginStep', 'stepDetail', 'endStep'] as const;
    hasRoom = [
      refuseWrite(scene.store.backups, 'change'),
      ...writes.map((each) => refuseWrite(scene.store.updates, each)),
    ];
  };
  scene.swarm.onUpdate = (when) =>
    when === 'after' && hasRoom.length === 0 && scene.swarm.lines.at(-1) === 'scale 0 forge_gitea' && refuse();
  await expect(stack.update('gitea')).rejects.toThrow('disk is full');
  expect(scene.swarm.lines).toContain('scale 0 forge_gitea');
  expect(await replicas()).toBe(1);
  hasRoom.forEach((allow) => allow());
  await scene.settle();
  expect(await replicas()).toBe(1);
  expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
});

describe('a backup that cannot be recorded', () => {
  beforeEach(async () => {
    ({ scene } = runForge());
    const labels = { 'backup.kind': 'files', 'backup.paths': '/data' };
    scene.engine.runContainer({ name: 'wiki', image: 'nginx:1', volumes: { pages: '/data' }, labels });
    scene.engine.files('wiki').write('/data/page', 'text');
    const containers = await readContainers(scene.engine, null);
    requestBackups({ store: scene.store, containers }, { reason: 'operator' });
  });
  const records = () => scene.store.backups.list(10).toReversed();

  it('is not tried without a rest', async () => {
    const hasRoom = refuseWrite(scene.store.backups, 'change');
    for (let turn = 0; turn < 3; turn++) await expect(workOnce(scene.deps)).rejects.toThrow('disk is full');
    expect(records().map(({ status }) => status)).toEqual(['queued', 'queued']);
    hasRoom();
    await scene.settle();
    expect(records().map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    expect(scene.mails()).toEqual([]);
  });

  it('is reported as failed, with a mail, once it can be, and the next one is taken', async () => {
    let hasRoom = (): void => undefined;
    scene.engine.onCall('archive', () => void (hasRoom = refuseWrite(scene.store.backups, 'change')), { once: true });
    for (let turn = 0; turn < 2; turn++) await expect(workOnce(scene.deps)).rejects.toThrow('disk is full');
    expect(records().map(({ status }) => status)).toEqual(['running', 'queued']);
    hasRoom();
    await scene.settle();
    const error = { code: 'backup_failed', message: expect.stringContaining('could not be written at its end') };
    expect(records()).toMatchObject([{ status: 'failed', error }, { status: 'succeeded' }]);
    expect(scene.mails()).toMatchObject([{ kind: 'backup_failed' }]);
  });
});

describe('a renewal whose end cannot be recorded', () => {
  it.each([
    ['failed', 'failed', ['renewal_failed']],
    ['renewed', 'succeeded', []],
  ])('is not run again, and is recorded as %s once it can be', async (outcome, status, kinds) => {
    const world = openRenewalScene();
    ({ scene } = world);
    if (outcome === 'renewed') world.renewsTo(world.certificate(90));
    else world.certbot = () => ({ exitCode: 1, stderr: 'Challenge failed for domain git.example.org' });
    const { id } = requestRenewal(scene.deps, { reason: 'schedule' });
    const { renewals } = scene.store;
    const change = renewals.change.bind(renewals);
    renewals.change = (of, fields) => {
      if (fields.finishedAt !== undefined) throw diskIsFull();
      return change(of, fields);
    };
    for (let turn = 0; turn < 3; turn++) await expect(workOnce(scene.deps)).rejects.toThrow('disk is full');
    expect(renewals.get(id)).toMatchObject({ status: 'running' });
    renewals.change = change;
    await scene.settle();
    expect(renewals.get(id)).toMatchObject({ status, outcome });
    expect(scene.engine.lines().filter((line) => line === 'start web-certbot-1')).toHaveLength(1);
    expect(scene.mails().map(({ kind }) => kind)).toEqual(kinds);
  });
});
