import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sealed } from '../../src/backups/manifest';
import { Secret } from '../../src/lib/secret';
import { planOfRestore, requestRestore } from '../../src/restores/restore-queue';
import { runOn } from '../support/cli-app';
import { askedRestore, dataOf, restoreOf, type AskedRestore } from '../support/restore-scene';

// Whoever can write to the storage must not get SQL as superuser: a set is restored only if a secret of ours has signed it.

type Json = Record<string, unknown>;

let asked: AskedRestore;
beforeEach(async () => (asked = await askedRestore()));
afterEach(() => asked.scene.close());

const folderOf = ({ scene }: AskedRestore): string => join(scene.folder, 'backups', restoreOf(scene).folder);

function rewrite(change: (manifest: Json) => Json): void {
  const file = join(folderOf(asked), 'manifest.json');
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as Json)));
}

const without = (manifest: Json): Json =>
  Object.fromEntries(Object.entries(manifest).filter(([name]) => name !== 'mac'));
const ofAnotherHost = (manifest: Json): Json => sealed([new Secret('another host')], without(manifest));
const inAnotherRole = (manifest: Json): Json => {
  const items = manifest['items'] as Json[];
  return { ...manifest, items: items.map((item) => ({ ...item, image: { reference: 'evil:1', imageId: 'x' } })) };
};

const nothingWasDone = (): void => {
  const { scene, forge, changed } = asked;
  expect(dataOf(scene.engine, forge.databases)).toEqual(changed);
  expect(scene.engine.lines().filter((line) => /^stop (forge|other)-\w+-1$/.test(line))).toEqual([]);
};

test.each([
  ['of another host', ofAnotherHost, /PILOT_APPROVAL_SECRET/],
  ['without a MAC', without, /no MAC/],
  ['with another content', inAnotherRole, /changed by someone/],
])(
  'a restore that was asked for ends before anything is stopped when its manifest is now one %s',
  async (_what, change, why) => {
    rewrite(change);
    await asked.scene.settle();
    const error = { code: 'backup_not_authenticated', message: expect.stringMatching(why) };
    expect(restoreOf(asked.scene)).toMatchObject({ status: 'failed', error });
    nothingWasDone();
  },
);

test('a set that is not authenticated is restored when the operator trusts just that manifest', async () => {
  const { scene, forge, backedUp } = asked;
  const { id } = restoreOf(scene);
  scene.store.restores.change(id, { status: 'failed', finishedAt: scene.clock.now().toISOString() });
  rewrite(ofAnotherHost);
  const plan = await planOfRestore(scene.deps, { backup: 'latest' });
  expect(() => requestRestore(scene.store, plan, {})).toThrow(/--trust/);
  requestRestore(scene.store, plan, { trust: true });
  await scene.settle();
  expect(restoreOf(scene)).toMatchObject({ status: 'succeeded' });
  expect(dataOf(scene.engine, forge.databases)).toEqual(backedUp);
});

test('that trust does not hold for a manifest that came in its place', async () => {
  const { scene } = asked;
  scene.store.restores.change(restoreOf(scene).id, { status: 'failed', finishedAt: scene.clock.now().toISOString() });
  rewrite(ofAnotherHost);
  requestRestore(scene.store, await planOfRestore(scene.deps, { backup: 'latest' }), { trust: true });
  rewrite(inAnotherRole);
  await scene.settle();
  const error = { code: 'backup_not_authenticated', message: expect.stringMatching(/not the manifest that you saw/) };
  expect(restoreOf(scene)).toMatchObject({ status: 'failed', error });
  nothingWasDone();
});

test('the command line says why, and restores with --trust only', async () => {
  const { scene, forge, backedUp } = asked;
  scene.store.restores.change(restoreOf(scene).id, { status: 'failed', finishedAt: scene.clock.now().toISOString() });
  rewrite(without);
  const run = (...args: string[]) => runOn(scene, ['restore', 'latest', ...args]);
  expect(await run('--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/not authenticated: .*no MAC.*--trust/),
  });
  nothingWasDone();
  expect(await run('--dry-run')).toMatchObject({ code: 0, stdout: expect.stringMatching(/needs --trust/) });
  expect(await run('--yes', '--trust')).toMatchObject({ code: 0 });
  expect(dataOf(scene.engine, forge.databases)).toEqual(backedUp);
});

test('a secret that was rotated still verifies', async () => {
  const { scene } = asked;
  scene.deps.approvalSecrets = [new Secret('the new one'), ...scene.deps.approvalSecrets];
  await scene.settle();
  expect(restoreOf(scene)).toMatchObject({ status: 'succeeded' });
});

test('an object that is replaced between its check and its use is not fed to PostgreSQL', async () => {
  const { scene, forge, changed } = asked;
  const { storage } = scene.deps;
  let reads = 0;
  scene.deps.storage = {
    ...storage,
    get: async (key) => {
      if (key.endsWith('app.dump') && ++reads === 2) {
        const dump = join(scene.folder, 'backups', key);
        writeFileSync(dump, Buffer.alloc(readFileSync(dump).length, 'evil'));
      }
      return storage.get(key);
    },
  };
  await scene.settle();
  const error = { code: 'restore_failed', message: expect.stringMatching(/replaced during the restore/) };
  expect(restoreOf(scene)).toMatchObject({ status: 'failed', error });
  expect(dataOf(scene.engine, forge.databases)).toEqual(changed);
});

test('a drill takes no set that another secret has signed, and skips one of an older version', async () => {
  const { scene } = asked;
  await scene.settle();
  const drill = async () => {
    scene.store.backups.askDrill(scene.store.backups.list(1)[0]?.id ?? '');
    await scene.settle();
    return scene.store.backups.list(1)[0]?.drill;
  };
  rewrite(ofAnotherHost);
  expect(await drill()).toMatchObject({ status: 'failed', words: expect.stringMatching(/not authenticated/) });
  rewrite(without);
  expect(await drill()).toMatchObject({ status: 'skipped', words: expect.stringMatching(/no MAC/) });
});
