import { askedRestore, dataOf, FORGE, restoreOf } from '../support/restore-scene';

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
  scene.close();
});
