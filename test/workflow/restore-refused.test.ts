import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planOfRestore, rehearse } from '../../src/restores/restore-queue';
import { askedRestore, dataOf, FORGE, restoreOf } from '../support/restore-scene';
import type { Scene } from '../support/scene';

const NO_TOOLS = { '/bin/sh -c *': { exitCode: 1, stderr: 'sh: stat: not found' } };

it('refuses to move files where no image of the set has a shell, before anybody is stopped', async () => {
  const { forge, scene, changed } = await askedRestore();
  for (const image of ['gitea:1', 'postgres:15']) Object.assign(forge.specs[image]?.scripts ?? {}, NO_TOOLS);
  await scene.settle();
  expect(restoreOf(scene)).toMatchObject({
    status: 'failed',
    error: {
      code: 'restore_refused',
      message: expect.stringMatching(/No image of the set has a shell .*files of forge-gitea-1 .*Nothing was stopped/),
    },
  });
  expect(scene.engine.lines().filter((line) => /^stop (forge|other)-\w+-1$/.test(line))).toEqual([]);
  expect(scene.engine.containerNames()).toEqual(FORGE);
  expect(dataOf(scene.engine, forge.databases)).toEqual(changed);
  expect(scene.mails().filter(({ kind }) => kind === 'restore_ended')).toHaveLength(1);
  scene.close();
});

it('moves the files of an image without a shell by that of another container of the set', async () => {
  const { forge, scene, backedUp } = await askedRestore();
  const { scripts = {} } = forge.specs['gitea:1'] ?? {};
  Object.assign(forge.specs['postgres:15']?.scripts ?? {}, { '/bin/sh -c *': scripts['/bin/sh -c *'] });
  Object.assign(scripts, NO_TOOLS);
  await scene.settle();
  expect(restoreOf(scene)).toMatchObject({ status: 'succeeded', error: null });
  expect(dataOf(scene.engine, forge.databases)).toEqual(backedUp);
  const remove = 'docker run --rm -u 0 --volumes-from forge-gitea-1 --entrypoint rm postgres:15 -rf ';
  const files = restoreOf(scene).kept.filter(({ what }) => what.includes('gitea'));
  expect(files.map((each) => each.remove.replace(/'.*'/, ''))).toEqual(files.map(() => remove));
  expect(files).not.toHaveLength(0);
  scene.close();
});

it.each([
  [undefined, 'gunzip -c OBJECT.tar.gz | docker cp - CONTAINER:/PARENT.'],
  [true, 'docker cp - CONTAINER:/PARENT < OBJECT.tar.'],
] as const)('says how to unpack what is in no volume; the storage compresses: %s', async (compresses, command) => {
  const { scene } = await askedRestore({ paths: '/srv/own' }, (forge) => {
    forge.scene.engine.files('forge-gitea-1').write('/srv/own/x', 'x');
    forge.scene.deps.storage = { ...forge.scene.deps.storage, compresses };
  });
  await scene.settle();
  expect(restoreOf(scene)).toMatchObject({
    status: 'failed',
    error: { code: 'restore_refused', message: expect.stringContaining(`unpack it manually: ${command} Nothing`) },
  });
  scene.close();
});

/** The stored objects of the only set, by what they hold. */
function objectsOf(scene: Scene): string[] {
  const root = join(scene.folder, 'backups');
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.(dump|sql\.gz|tar\.gz)$/.test(name)).map((name) => join(root, name));
}

const readsByPgRestore = (scene: Scene): string[] =>
  scene.engine.lines({ reads: true }).filter((line) => line.includes('pg_restore -f /dev/null'));

it('refuses a set of which one byte is another, whichever item it is in, before anything is stopped', async () => {
  const { scene: first } = await askedRestore();
  const count = objectsOf(first).length;
  first.close();
  expect(count).toBeGreaterThanOrEqual(5); // roles, two databases, a folder, a file
  for (let which = 0; which < count; which++) {
    const { forge, scene, changed } = await askedRestore();
    const damaged = objectsOf(scene)[which] ?? '';
    const content = readFileSync(damaged);
    content[content.length - 1] = ~(content.at(-1) ?? 0) & 255;
    writeFileSync(damaged, content);
    await scene.settle();
    expect([damaged, restoreOf(scene)]).toMatchObject([
      damaged,
      {
        status: 'failed',
        error: { code: 'backup_not_verified', message: expect.stringMatching(/Nothing was stopped/) },
      },
    ]);
    expect(scene.engine.lines().filter((line) => /^stop (forge|other)-\w+-1$/.test(line))).toEqual([]);
    expect(dataOf(scene.engine, forge.databases)).toEqual(changed);
    scene.close();
  }
});

it('compares the bytes of an authenticated set, which was read by pg_restore when it was taken, and reads it so only for --dry-run', async () => {
  const { scene, forge, backedUp } = await askedRestore();
  const before = readsByPgRestore(scene).length;
  await rehearse(scene.deps, await planOfRestore(scene.deps, { backup: 'latest' }), () => undefined);
  const looked = readsByPgRestore(scene).length;
  expect(looked - before).toBe(2);
  await scene.settle();
  expect(restoreOf(scene)).toMatchObject({ status: 'succeeded', error: null });
  expect(readsByPgRestore(scene)).toHaveLength(looked);
  expect(dataOf(scene.engine, forge.databases)).toEqual(backedUp);
  scene.close();
});
