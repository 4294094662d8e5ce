import { runForge } from '../support/forge-scene';
import { refuseWrite } from '../support/refuse-write';
import { rehearsalOf, rehearsalScene } from '../support/rehearsal-scene';
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
      if (Object.keys(fields).join() === 'detail') throw new Error('database or disk is full');
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
