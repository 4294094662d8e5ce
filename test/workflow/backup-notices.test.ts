import { createHash } from 'node:crypto';
import { asCheck } from '../../src/diagnosis/problem';
import { backupProblems } from '../../src/diagnosis/problems';
import { requestBackups } from '../../src/backups/backup-queue';
import { StorageError } from '../../src/domain/errors';
import { readContainers } from '../../src/containers/read-containers';
import { nginx, openScene, type Scene } from '../support/scene';

const HOUR = 3_600_000;
let scene: Scene;
let id: string;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable', files: { '/data/a': noise(9) } });
  id = scene.engine.runContainer(nginx({ labels: { 'backup.kind': 'files', 'backup.paths': '/data' } }));
  scene.store.timers.keep('backup', { expression: '0 2 * * *', timeZone: 'Europe/Berlin' }, '2026-01-05T03:00:00.000Z');
});
afterEach(() => scene.close());

/** What hardly compresses: a number of kibibytes, always the same. */
function noise(kibibytes: number): string {
  return Array.from({ length: kibibytes * 16 }, (_, line) => createHash('sha256').update(`${line}`).digest('hex')).join(
    '',
  );
}

async function backUp(): Promise<void> {
  requestBackups({ store: scene.store, containers: await readContainers(scene.engine, null) }, { reason: 'schedule' });
  await scene.settle();
}

async function look(): Promise<void> {
  scene.store.timers.ring('backup-ages', scene.clock.now().toISOString());
  await scene.settle();
}

const kinds = (): string[] => scene.mails().map(({ kind }) => kind);
const health = (): string => {
  const { status, reason } = asCheck(backupProblems(scene.store.backups.list(200), scene.store.notices.all()));
  return reason ?? status;
};

describe('the last good backup', () => {
  test('that is older than a day and a half is told of once, shown on /health, and forgotten with the next good one', async () => {
    await backUp();
    await scene.clock.advance(35 * HOUR);
    await look();
    expect(kinds()).toEqual([]);
    await scene.clock.advance(2 * HOUR);
    await look();
    await scene.clock.advance(24 * HOUR);
    await look();
    expect(kinds()).toEqual(['backup_old']);
    expect(scene.mails()[0]?.subject).toBe('[diun-pilot] web: the last good backup is from 2026-01-05 – please check');
    expect(health()).toContain('the last good backup of web was taken at 2026-01-05 03:00:00 UTC');
    await backUp();
    expect(health()).toBe('ok');
  });

  test('does not count while its time is still to come, as of a clock that was ahead', async () => {
    await backUp();
    await scene.clock.advance(365 * 24 * HOUR);
    await backUp();
    await scene.clock.advance(-363 * 24 * HOUR);
    await look();
    expect(kinds()).toEqual(['backup_old']);
    expect(health()).toContain('was taken at 2026-01-05 03:00:00 UTC');
  });

  test('that never was is told of a day and a half after the first attempt', async () => {
    scene.engine.onCall('archive', () => {
      throw new StorageError('storage_full', 'Full.');
    });
    await backUp();
    await scene.clock.advance(37 * HOUR);
    await look();
    expect(kinds()).toEqual(['backup_failed', 'backup_old']);
    expect(health()).toContain('no backup of web has succeeded yet');
  });

  test('of a set that was never tried is no matter, nor of one that is gone', async () => {
    await look();
    await backUp();
    await scene.clock.advance(40 * HOUR);
    await scene.engine.stop(id);
    await scene.engine.remove(id);
    await look();
    expect(kinds()).toEqual([]);
  });

  test('is not too old while backups are switched off, or come once a week', async () => {
    await backUp();
    scene.store.timers.keep('backup', { expression: '0 2 * * 0', timeZone: 'UTC' }, '2026-01-05T03:00:00.000Z');
    await scene.clock.advance(7 * 24 * HOUR);
    await look();
    scene.store.timers.forget('backup');
    await scene.clock.advance(30 * 24 * HOUR);
    await look();
    expect(kinds()).toEqual([]);
  });
});

test('a schedule of weekdays misses no backup over a weekend', async () => {
  scene.store.timers.keep('backup', { expression: '0 2 * * 1-5', timeZone: 'UTC' }, '2026-01-05T03:00:00.000Z');
  await scene.clock.advance(Date.parse('2026-01-09T02:00:00Z') - scene.clock.now().getTime());
  await backUp();
  await scene.clock.advance(70 * HOUR);
  await look();
  expect(kinds()).toEqual([]);
  await scene.clock.advance(40 * HOUR);
  await look();
  expect(kinds()).toEqual(['backup_old']);
});

describe('a set that no longer exists', () => {
  const remove = async (): Promise<void> => {
    await scene.engine.stop(id);
    await scene.engine.remove(id);
    await look();
  };

  test('has no failed backup that anyone could repeat', async () => {
    scene.engine.onCall('archive', () => {
      throw new StorageError('storage_full', 'Full.');
    });
    await backUp();
    expect(health()).toContain('the last backup of web failed');
    await remove();
    expect(health()).toBe('ok');
  });

  test('has not shrunk', async () => {
    await backUp();
    scene.engine.files('web-nginx-1').write('/data/a', noise(2));
    await backUp();
    expect(health()).toContain('shrank');
    await remove();
    expect(health()).toBe('ok');
  });
});

describe('a set that shrinks to less than half', () => {
  const shrinkTo = (kibibytes: number): void => scene.engine.files('web-nginx-1').write('/data/a', noise(kibibytes));

  test('is told of once, with what is smaller, and nothing older is removed meanwhile', async () => {
    scene.deps.retention = { daily: 1, weekly: 0, monthly: 0 };
    await backUp();
    shrinkTo(2);
    await backUp();
    await backUp();
    expect(kinds()).toEqual(['backup_shrunk']);
    expect(scene.mails()[0]?.text).toContain('files /data of web-nginx-1');
    expect(health()).toContain('the backup of web shrank');
    expect(scene.store.backups.good()).toHaveLength(3);
    await scene.clock.advance(4 * 24 * HOUR);
    await backUp();
    expect(health()).toBe('ok');
    expect(scene.store.backups.good()).toHaveLength(1);
  });

  test('is compared with a set of the same compression only: another storage may have it', async () => {
    await backUp();
    const [whole] = scene.store.backups.good();
    const plain = whole?.items.map((item) => ({ ...item, compression: 'none' as const })) ?? [];
    scene.store.backups.change(whole?.id ?? '', { items: plain });
    shrinkTo(2);
    await backUp();
    expect(kinds()).toEqual([]);
    shrinkTo(9);
    await backUp();
    shrinkTo(2);
    await backUp();
    expect([kinds(), health()]).toEqual([['backup_shrunk'], expect.stringContaining('shrank')]);
  });

  test('a set that shrinks a little, or grows, is no matter', async () => {
    await backUp();
    shrinkTo(5);
    await backUp();
    shrinkTo(20);
    await backUp();
    expect(kinds()).toEqual([]);
  });
});
