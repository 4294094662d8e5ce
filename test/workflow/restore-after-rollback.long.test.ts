import { someOf } from '../support/exhaustive';
import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import { migratingForge, type Migrating } from '../support/migrating-forge';
import { actsIn, dataOf, FORGE, keptOf, leftovers, nextProcess, type DataSeen } from '../support/restore-scene';

// The new version changes rows and files and then never works; the old one refuses what it finds. The data of this
// update's backup takes its place, whatever dies in between.

type Scripted = (call: CommandCall) => Outcome;

const told = ({ databases, files }: DataSeen) => ({
  databases: Object.fromEntries(
    Object.entries(databases).map(([name, dump]) => [name, dump.subarray(0, 40).toString('hex')]),
  ),
  files,
});

function expectRestored(where: string, { forge, before, ids }: Migrating, scene = forge.scene): void {
  const { engine } = scene;
  const [update, ...others] = scene.updates();
  expect([where, others.length, update?.status, update?.error?.code]).toEqual([where, 0, 'rolled_back', 'unhealthy']);
  expect([where, told(dataOf(engine, forge.databases))]).toEqual([where, told(before)]);
  expect([where, Object.values(keptOf(engine, forge.databases).files)]).toEqual([
    where,
    expect.arrayContaining(['2', 'new']),
  ]);
  expect([where, leftovers(engine, forge.databases)]).toEqual([where, []]);
  expect([where, engine.containerNames()]).toEqual([where, FORGE]);
  expect([where, FORGE.filter((name) => !engine.isRunning(name))]).toEqual([where, []]);
  const { Id, Image } = engine.container('forge-gitea-1');
  expect([where, Id, Image, engine.tagged('gitea:1')]).toEqual([where, ids.container, ids.image, ids.image]);
  expect([where, update?.steps.filter(({ status }) => status === 'running')]).toEqual([where, []]);
  expect([where, scene.mails().filter(({ kind }) => kind === 'update_failed').length]).toEqual([where, 1]);
}

it('with a crash at every act from the new version on: the old one serves with the data from before, told once', async () => {
  const whole = await migratingForge();
  await whole.forge.scene.settle();
  expectRestored('without a crash', whole);
  const calls = whole.forge.scene.engine.transcript;
  whole.forge.scene.close();
  const acts = actsIn(
    calls,
    calls.findIndex(({ line }) => line.endsWith(' reads-data')),
  );
  expect(acts.length).toBeGreaterThan(30);
  for (const at of someOf(acts, 7)) {
    for (const when of ['before', 'after'] as const) {
      const migrating = await migratingForge();
      const first = migrating.forge.scene;
      await Promise.race([first.engine.crashAt(at, when), first.settle()]);
      const scene = nextProcess(first);
      await scene.settle();
      expectRestored(`crash ${when} call ${at}`, migrating, scene);
      scene.close();
    }
  }
});

it('leaves everybody stopped, and needs a person, when the data can neither be put in place nor back', async () => {
  const { forge } = await migratingForge();
  const scripts = forge.specs['postgres:15']?.scripts as Scripts;
  const psql = scripts['psql *'] as Scripted;
  let renamed = false;
  scripts['psql *'] = (call) => {
    if (renamed) return { exitCode: 2, stderr: 'FATAL:  the disk is full' };
    renamed = call.command.some((word) => word.includes(' RENAME TO '));
    return psql(call);
  };
  const { scene } = forge;
  await scene.settle();
  const update = scene.updates()[0];
  expect([update?.status, update?.error?.message]).toEqual([
    'rollback_failed',
    expect.stringMatching(
      /could not be put back: .*the disk is full.*Left stopped, because the data is only partly restored: forge-gitea-1\. Also left stopped.*: forge-runner-1\./,
    ),
  ]);
  expect(FORGE.filter((name) => !scene.engine.isRunning(name))).toEqual(['forge-gitea-1', 'forge-runner-1']);
  expect(Object.keys(keptOf(scene.engine, forge.databases).databases)).toHaveLength(2);
  scene.close();
});

it('serves with the data from before the restore, when the backup cannot be restored, and says so', async () => {
  const { forge } = await migratingForge();
  (forge.specs['postgres:15']?.scripts as Scripts)['pg_restore -w *'] = {
    exitCode: 1,
    stderr: 'pg_restore: error: no',
  };
  const { scene } = forge;
  await scene.settle();
  const update = scene.updates()[0];
  expect([update?.status, update?.error?.message]).toEqual([
    'rollback_failed',
    expect.stringMatching(/could not be restored: pg_restore: error: no\. The previous data is in place/),
  ]);
  expect(scene.engine.files('forge-gitea-1').read('/data/schema')?.toString()).toBe('2');
  expect(FORGE.filter((name) => !scene.engine.isRunning(name))).toEqual([]);
  expect(leftovers(scene.engine, forge.databases)).toEqual([]);
  scene.close();
});

it.each([
  ['while it is backed up', 'archive', false],
  ['after it was backed up', 'createContainer', true],
  ['while the old one is started again', 'rename', true],
] as const)(
  'is not restored where somebody else started a writer %s: what that wrote is in no backup',
  async (_when, call, quiesced) => {
    const { forge } = await migratingForge();
    const { engine } = forge.scene;
    engine.onCall(call, () => engine.host.start(engine.host.find('forge-runner-1')));
    await forge.scene.settle();
    expect(forge.scene.updates()).toMatchObject([{ status: 'rollback_failed', error: { code: 'rollback_failed' } }]);
    expect(forge.scene.updates()[0]?.steps.map(({ name }) => name)).not.toContain('restore');
    expect(forge.scene.store.backups.list(1)).toMatchObject([{ quiesced }]);
    expect(keptOf(engine, forge.databases).files).toEqual({});
    expect(forge.scene.mails().at(-1)?.text).toContain('diun-pilot restore');
  },
);
