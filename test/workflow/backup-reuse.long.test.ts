import { requestBackups } from '../../src/backups/backup-queue';
import { readContainers } from '../../src/containers/read-containers';
import { aDump } from '../support/fake-postgres';
import { runForge, type Forge } from '../support/forge-scene';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let forge: Forge;
beforeEach(() => {
  forge = runForge();
  const { engine } = forge.scene;
  for (const name of ['one', 'two']) {
    engine.addImage({ reference: `${name}:1` });
    const labels = { ...forge.watched, ...forge.inProject, 'com.docker.compose.service': name };
    engine.runContainer({ name: `forge-${name}-1`, image: `${name}:1`, labels });
  }
  forge.scene.deps.backupReuseMs = HOUR;
});
afterEach(() => forge.scene.close());

/** The backup of the newest update of a container, which is asked for after its image was published again. */
async function updateOf(service: string): Promise<{ backupId: string | null; detail: string | null }> {
  const { scene } = forge;
  scene.engine.publish(`${service}:1`, forge.specs[`${service}:1`] ?? {});
  await forge.update(`forge-${service}-1`);
  const update = scene.updates().at(-1);
  expect(update).toMatchObject({ container: `forge-${service}-1`, status: 'succeeded' });
  const detail = update?.steps.find(({ name }) => name === 'backup')?.detail ?? null;
  return { backupId: update?.backupId ?? null, detail };
}

test('ten updates of containers that cannot change data take one backup, and each step says which', async () => {
  const first = await updateOf('one');
  for (let round = 0; round < 9; round++) {
    const next = await updateOf(round % 2 === 0 ? 'two' : 'one');
    expect(next.backupId).toBe(first.backupId);
    expect(next.detail).toMatch(
      new RegExp(`verified backup ${first.backupId} .* used again, because .* cannot change`),
    );
  }
  expect(forge.scene.store.backups.list(100)).toHaveLength(1);
});

test('one that was used again does not count as a time without service, although it stopped others', async () => {
  await updateOf('gitea');
  forge.scene.engine.onCall('pull', () => void forge.scene.clock.advance(20 * 60_000), { once: true });
  await updateOf('one');
  expect(forge.scene.store.updates.past({ limit: 1 })[0]?.awaySeconds).toBeLessThan(60);
});

test('a container that can change data takes a fresh one every time', async () => {
  const first = await updateOf('one');
  expect((await updateOf('gitea')).backupId).not.toBe(first.backupId);
});

const takesAnother = async (between: () => Promise<unknown> | void): Promise<void> => {
  const first = await updateOf('one');
  await between();
  const next = await updateOf('two');
  expect(next.backupId).not.toBe(first.backupId);
  expect(next.detail).toMatch(/read back and verified/);
};

test('one that is too old is not used', () => takesAnother(() => forge.scene.clock.advance(HOUR + 1)));

test('0 takes a backup for every update', () => takesAnother(() => void (forge.scene.deps.backupReuseMs = 0)));

test('one that does not hold what the set has now is not used', () =>
  takesAnother(() => {
    const labels = {
      ...forge.inProject,
      'com.docker.compose.service': 'new',
      'backup.kind': 'files',
      'backup.paths': '/d',
    };
    forge.scene.engine.addImage({ reference: 'new:1' });
    forge.scene.engine.runContainer({ name: 'forge-new-1', image: 'new:1', volumes: { fresh: '/d' }, labels });
    forge.scene.engine.files('forge-new-1').write('/d/file', 'x');
  }));

test('one whose manifest is no longer in the storage is not used', () =>
  takesAnother(async () => {
    const { storage } = forge.scene.deps;
    for (const { key } of await storage.list('')) if (key.endsWith('manifest.json')) await storage.delete(key);
  }));

test.each(['taken on request', 'taken for another update'])(
  'one that was used again, %s, is kept as long as its restore link',
  async (taken) => {
    const { scene } = forge;
    const backUp = async (): Promise<void> => {
      requestBackups(
        { store: scene.store, containers: await readContainers(scene.engine, null) },
        { reason: 'operator' },
      );
      await scene.settle();
    };
    await (taken === 'taken on request' ? backUp() : updateOf('two'));
    const { backupId } = await updateOf('one');
    scene.store.updates.change(scene.updates().at(-1)?.id ?? '', { status: 'rollback_failed' });
    for (const passed of [HOUR, 4 * DAY]) {
      await scene.clock.advance(passed);
      await backUp();
    }
    expect(scene.store.backups.list(3)).toHaveLength(3);
    expect(scene.store.backups.get(backupId ?? '')?.status).toBe('succeeded');
  },
);

test('one that was used again is not restored when old and new version fail, and no link offers it', async () => {
  const { scene, databases, specs } = forge;
  let broken = false;
  const scripts = { 'reads-config': () => (broken ? { exitCode: 1, stderr: 'bad configuration' } : {}) };
  const probed = { 'update.probe': 'exec:reads-config', 'update.probe.timeout': '5s' };
  scene.engine.addImage({ reference: 'web:1', scripts });
  const labels = { ...forge.watched, ...forge.inProject, 'com.docker.compose.service': 'web', ...probed };
  scene.engine.runContainer({ name: 'forge-web-1', image: 'web:1', labels });
  scene.engine.publish('gitea:1', specs['gitea:1'] ?? {});
  await forge.update('forge-gitea-1');
  const [quiesced] = scene.store.backups.list(1);
  expect(quiesced?.quiesced).toBe(true);
  await scene.clock.advance(HOUR / 2);
  scene.engine.files('forge-gitea-1').write('/data/repo/pushed.txt', 'work of half an hour');
  databases.app = aDump('rows of half an hour');
  scene.engine.publish('web:1', { scripts });
  await forge.request('forge-web-1');
  // The old one was well when the update was decided: its failure is no old one, which would restore nothing either.
  scene.engine.onCall('createContainer', () => void (broken = true), { once: true });
  await scene.settle();
  const update = scene.updates().at(-1);
  expect(update).toMatchObject({ container: 'forge-web-1', status: 'rollback_failed', backupId: quiesced?.id });
  expect(update?.steps.map(({ name }) => name)).not.toContain('restore');
  expect(scene.engine.files('forge-gitea-1').read('/data/repo/pushed.txt')?.toString()).toBe('work of half an hour');
  expect(databases.app.toString('latin1')).toContain('rows of half an hour');
  expect(scene.mails().at(-1)?.text).not.toMatch(/Review and restore|diun-pilot restore/);
});
