import type { CommandCall, Outcome } from '../support/fake-engine-types';
import type { Forge } from '../support/forge-scene';
import { askedRestore, dataOf, keptOf, leftovers, restoreOf, type AskedRestore } from '../support/restore-scene';

// Two items of a set that are the same files: of two containers with one volume, or one path inside another.

/** A second container on the files of Gitea. `own`: it has a volume of its own among them. */
function cron(paths: string, own = false): (forge: Forge) => void {
  return ({ scene, inProject }) => {
    const service = { 'com.docker.compose.service': 'cron', 'backup.kind': 'files', 'backup.paths': paths };
    const volumes = { 'forge-files': '/data', ...(own ? { 'cron-files': '/data/own' } : {}) };
    scene.engine.runContainer({
      name: 'forge-cron-1',
      image: 'gitea:1',
      volumes,
      labels: { ...inProject, ...service },
    });
    if (own) scene.engine.files('forge-cron-1').write('/data/own/x', 'x');
  };
}

/** The databases can never change places, so that all is undone. */
function neverSwapped({ forge }: AskedRestore): void {
  const scripts = forge.specs['postgres:15']?.scripts ?? {};
  const psql = scripts['psql *'] as (call: CommandCall) => Outcome;
  scripts['psql *'] = (call) =>
    call.command.some((word) => word.includes(' RENAME TO ')) ? { exitCode: 1, stderr: 'ERROR:  no' } : psql(call);
}

function expectData({ scene, forge }: AskedRestore, data: AskedRestore['changed']): void {
  expect(dataOf(scene.engine, forge.databases)).toEqual(data);
  expect(leftovers(scene.engine, forge.databases)).toEqual([]);
}

it.each<[string, string, (forge: Forge) => void]>([
  ['two containers have one volume', '/data', cron('/data')],
  ['two containers have one volume, and one of them another inside', '/data', cron('/data', true)],
  ['a path is inside another one', '/data,/data/repo', () => undefined],
  ['a path is around another one', '/data/repo,/data', () => undefined],
  ['a path of one container is inside that of another', '/data', cron('/data/repo')],
  ['a path of one container is around that of another', '/data/repo', cron('/data')],
])('where %s, the data is restored; an undone restore leaves that from before', async (_, paths, prepare) => {
  const undone = await askedRestore({ paths }, prepare);
  neverSwapped(undone);
  await undone.scene.settle();
  expect(restoreOf(undone.scene).status).toBe('failed');
  expectData(undone, undone.changed);
  expect(keptOf(undone.scene.engine, undone.forge.databases)).toEqual({ databases: {}, files: {} });
  undone.scene.close();

  const done = await askedRestore({ paths }, prepare);
  await done.scene.settle();
  expect(restoreOf(done.scene)).toMatchObject({ status: 'succeeded', error: null });
  expectData(done, done.backedUp);
  const kept = Object.entries(keptOf(done.scene.engine, done.forge.databases).files);
  expect(kept.map(([path, content]) => [path.replace(/\/\.diun-pilot-before-[^/]*/, ''), content])).toEqual(
    expect.arrayContaining(Object.entries(done.changed.files)),
  );
  done.scene.close();
});
