import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import { aDump } from '../support/fake-postgres';
import { runForgeStack, type ForgeStack } from '../support/swarm/forge-stack';

// A stack's update whose end is not what was planned: mail, page and API say what runs and what does not.

let forge: ForgeStack;
beforeEach(() => {
  forge = runForgeStack();
});
afterEach(() => forge.scene.close());

const last = (): Update => forge.scene.updates().at(-1) as Update;
const mail = () => forge.scene.mails().at(-1);
const replicasOf = async (name: string): Promise<number | undefined> =>
  (await forge.scene.swarm.services()).find(({ Spec }) => Spec.Name === name)?.Spec.Mode.Replicated?.Replicas;

/** The new version migrates the database and fails; `then` happens once it has been rolled out. */
function migratesAndFails(then: () => void): void {
  forge.databases['app'] = aDump('app', { version: '1', tables: ['user'] });
  const { digest } = forge.publish('gitea:1', { health: 'exits' });
  forge.scene.swarm.onUpdate = (when) => {
    if (when !== 'after' || !forge.scene.swarm.lines.at(-1)?.includes(`@${digest}`)) return;
    forge.databases['app'] = aDump('app', { version: '2', tables: ['note', 'user'] });
    then();
  };
}

const storageIsAway = (): void => rmSync(join(forge.scene.folder, 'backups'), { recursive: true });

it('asks the old version whether it works on the changed data, before it says so', async () => {
  migratesAndFails(storageIsAway);
  await forge.update('gitea');
  expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
  expect(last().steps.find(({ name }) => name === 'restore_health_check')).toMatchObject({ status: 'succeeded' });
  expect(mail()?.subject).toContain('decide about a restore');
  expect(mail()?.text).toMatch(/manually\s+from\s+file:/);
});

it('does not call the old version healthy when it does not run on the changed data', async () => {
  migratesAndFails(() => {
    (forge.images['gitea:1'] as { spec: { health?: string } }).spec.health = 'exits';
    storageIsAway();
  });
  await forge.update('gitea');
  expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'rollback_failed' } });
  expect(last().error?.message.split('\n')[0]).toMatch(
    /The data was not restored: .*The update was rolled back because:/,
  );
  expect(`${last().reason} ${mail()?.text}`).not.toMatch(/healthy,\s+on\s+data|is\s+healthy/);
  expect(mail()?.subject).toContain('update and rollback failed – manual action required');
});

it('names the services that stay at 0 replicas when the data is only partly restored', async () => {
  migratesAndFails(() => undefined);
  const isSwapping = () => {
    const [running] = forge.scene.store.updates.withStatus('running');
    return running !== undefined && forge.scene.store.updates.rollout(running.id)?.restore?.swapBegan === true;
  };
  for (const call of ['exec', 'execInput', 'execOutput'] as const) {
    forge.scene.engine.onCall(call, () => {
      if (isSwapping()) throw new EngineError('engine_refused', 'the server does not answer');
    });
  }
  await forge.update('gitea');
  expect(await replicasOf('forge_gitea')).toBe(0);
  expect(last().error?.message).toMatch(/^Left at 0 replicas.*partly restored: forge_gitea\b/);
  expect(mail()?.subject).toContain('DOWN, its data is only partly restored');
  expect(mail()?.text).toMatch(
    /stay at 0[\s!]+replicas[\s!]+until[\s!]+the[\s!]+data[\s!]+is[\s!]+restored:[\s!]+forge_gitea/,
  );
  expect(mail()?.text).not.toMatch(/is\s+healthy|docker service update/);
});

it('says that the new version runs when only another service does not come back', async () => {
  forge.publish('postgres:15');
  const { swarm, store } = forge.scene;
  const gitea = (await swarm.services()).find(({ Spec }) => Spec.Name === 'forge_gitea')?.ID;
  const service = swarm.service.bind(swarm);
  swarm.service = async (id) => {
    const [running] = store.updates.withStatus('running');
    if (id === gitea && running !== undefined && store.updates.rollout(running.id)?.stage === 'settled')
      throw new EngineError('service_not_found', 'There is no such service: it was removed.');
    return service(id);
  };
  await forge.update('db');
  expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'other_unhealthy' } });
  expect(last().reason).toMatch(/^forge_db runs postgres:15 and is healthy, but another service/);
  expect(mail()?.subject).toContain('updated, another service is not healthy – manual action required');
  expect(mail()?.text).not.toContain('docker service update');
  // Not those of the updated service, which works.
  expect(mail()?.text).toMatch(/Look at it first[^]*docker service ls[^]*docker service logs --tail 100 NAME/i);
});

it('keeps the data where another client scales the service up while the backup is unpacked', async () => {
  const { swarm, engine, store } = forge.scene;
  migratesAndFails(() => undefined);
  const isUnpacking = (): boolean => {
    const [running] = store.updates.withStatus('running');
    return running !== undefined && store.updates.rollout(running.id)?.restore?.stage === 'staging';
  };
  engine.onCall('execInput', () => {
    if (isUnpacking())
      swarm.changeFromOutside('forge_gitea', (spec) => ({ ...spec, Mode: { Replicated: { Replicas: 1 } } }));
  });
  await forge.update('gitea');
  expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'data_changed' } });
  expect(last().steps.find(({ name }) => name === 'restore')).toMatchObject({ status: 'failed' });
  expect(last().error?.message).toContain('Another client scaled up forge_gitea while the backup was unpacked');
});

it('is no restore of a backup beside which a service that was at 0 was scaled up', async () => {
  const { swarm, engine } = forge.scene;
  const labels = { 'com.docker.stack.namespace': 'forge', 'backup.quiesce': 'allowed' };
  const image = `nginx:1@${forge.images['nginx:1']?.digest}`;
  swarm.addService({ name: 'forge_cron', image, labels, replicas: 0 });
  const cron = async () => (await swarm.services()).find(({ Spec }) => Spec.Name === 'forge_cron');
  const scale = async (replicas: number): Promise<void> => {
    const service = await cron();
    if (service !== undefined)
      await swarm.update(service, { ...service.Spec, Mode: { Replicated: { Replicas: replicas } } });
  };
  let done = false;
  engine.onCall('archive', async () => {
    if (done || !swarm.lines.includes('scale 0 forge_gitea')) return;
    done = true;
    await scale(1);
    await scale(0);
  });
  migratesAndFails(() => undefined);
  await forge.update('gitea');
  expect(forge.scene.store.backups.list(1)).toMatchObject([{ quiesced: false }]);
  expect(last().steps.map(({ name }) => name)).not.toContain('restore');
});

describe('a service that another client rolls back is not reported as updated', () => {
  const rolledBack = (): void => {
    const { images, scene } = forge;
    scene.swarm.changeFromOutside('forge_db', (spec) => {
      const { TaskTemplate } = spec;
      const Image = `postgres:15@${images['postgres:15']?.digest}`;
      return { ...spec, TaskTemplate: { ...TaskTemplate, ContainerSpec: { ...TaskTemplate.ContainerSpec, Image } } };
    });
  };
  const moments: Record<string, () => void> = {
    'while the others are checked': () => {
      const { swarm } = forge.scene;
      swarm.onUpdate = (when) => when === 'after' && swarm.lines.at(-1) === 'scale 1 forge_gitea' && rolledBack();
    },
    'once all were checked': () => {
      const { updates } = forge.scene.store;
      const save = updates.saveRollout.bind(updates);
      updates.saveRollout = (id, rollout) => {
        save(id, rollout);
        if (rollout.stage === 'settled') rolledBack();
      };
    },
  };

  it.each(Object.keys(moments))('%s', async (moment) => {
    forge.publish('postgres:15');
    moments[moment]?.();
    await forge.update('db');
    expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'changed_meanwhile' } });
    expect(last().reason).toMatch(/^The service forge_db was rolled back externally after postgres:15 was healthy\./);
    expect(last().steps.map(({ name }) => name)).not.toContain('cleanup');
    expect(await replicasOf('forge_gitea')).toBe(1);
    expect(forge.scene.store.refusals.find('forge_db', last().to.digest ?? '')).toBeNull();
  });
});
