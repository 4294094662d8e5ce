import { someOf } from '../support/exhaustive';
import { ALL_WITH_READER, CHANGED, migratingReader, READER, versionIn } from '../support/migrating-reader';
import { actsIn, leftovers, nextProcess, readsWhole } from '../support/restore-scene';

// The process dies before and after each act of an update whose new version migrates the database and then fails.

it('with a crash at every act: the data is that from before, the old version runs, and one mail reports what changed', async () => {
  const whole = migratingReader(false);
  await whole.request(READER);
  await whole.scene.settle();
  const acts = actsIn(whole.scene.engine.transcript, 0);
  whole.scene.close();
  expect(acts.length).toBeGreaterThan(40);
  for (const at of someOf(acts, 5)) {
    for (const when of ['before', 'after'] as const) {
      const where = `crash ${when} call ${at}`;
      const forge = migratingReader(false);
      readsWhole(forge.scene);
      const { engine } = forge.scene;
      const { Id, Image } = engine.container(READER);
      await forge.request(READER);
      await Promise.race([engine.crashAt(at, when), forge.scene.settle()]);
      const scene = nextProcess(forge.scene);
      await scene.settle();
      const [update, ...others] = scene.updates();
      expect([where, others.length, update?.status, update?.error?.code]).toEqual([
        where,
        0,
        'rolled_back',
        'unhealthy',
      ]);
      expect([where, versionIn(forge)]).toEqual([where, '114']);
      expect([where, update?.reason]).toEqual([where, expect.stringContaining(CHANGED)]);
      expect([where, scene.engine.containerNames()]).toEqual([where, ALL_WITH_READER]);
      expect([where, ALL_WITH_READER.filter((name) => !scene.engine.isRunning(name))]).toEqual([where, []]);
      const runs = scene.engine.container(READER);
      expect([where, runs.Id, runs.Image, scene.engine.tagged('reader:1')]).toEqual([where, Id, Image, Image]);
      expect([where, leftovers(scene.engine, forge.databases)]).toEqual([where, []]);
      expect([where, update?.steps.filter(({ status }) => status === 'running')]).toEqual([where, []]);
      expect([where, scene.mails().filter(({ kind }) => kind === 'update_failed').length]).toEqual([where, 1]);
      scene.close();
    }
  }
}, 1_800_000);
