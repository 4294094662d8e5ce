import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import type { Stopped } from '../../src/domain/health/health-failure';
import type { Journal } from '../../src/domain/journal';
import type { UpdateStatus } from '../../src/domain/update';
import type { Store } from '../../src/ports/store';
import { TestClock } from '../support/test-clock';
import { aNewUpdate } from '../support/update-builder';

let folder: string;
let store: Store;
let clock: TestClock;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'past-'));
  clock = new TestClock({ autoAdvance: false });
  store = createSqliteStore({ path: join(folder, 'pilot.db'), clock });
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

async function ran(container: string, status: UpdateStatus, journal: Partial<Journal> = {}): Promise<string> {
  const { id } = store.updates.insert(aNewUpdate({ container }));
  for (const name of ['recreate', 'health_check'] as const) {
    store.updates.beginStep(id, name);
    await clock.advance(2_000);
    store.updates.endStep(id, name, 'succeeded', null);
  }
  store.updates.saveJournal(id, journal as Journal);
  store.updates.change(id, { status, finishedAt: clock.now().toISOString() });
  return id;
}

test('past updates are those that ran, newest first, with the time they took away', async () => {
  const good = await ran('web', 'succeeded');
  const declined = await ran('web', 'declined');
  const handedOver = await ran('edge', 'succeeded', { handedOver: true });
  const served = await ran('edge', 'rolled_back', { oldStopped: false });
  const [own, other] = ['own', 'other'].map((id) => ({ id, name: id, well: true }));
  const at = { oldContainerId: 'own', stoppedAt: clock.now().toISOString() };
  await clock.advance(60_000);
  const stopped = await ran('git', 'succeeded', { ...at, stopped: [other, own] as Stopped[] });
  const alone = await ran('web', 'succeeded', { ...at, stopped: [other] as Stopped[] });
  store.updates.insert(aNewUpdate());
  const past = store.updates.past({ limit: 10 });
  expect(past.map(({ id, awaySeconds }) => [id, awaySeconds])).toEqual([
    [alone, 4],
    [stopped, 64],
    [served, 0],
    [handedOver, 0],
    [good, 4],
  ]);
  expect(past.map(({ id }) => id)).not.toContain(declined);
});

test('of one container only, and no more than were requested', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 6; n++) ids.push(await ran(n % 2 === 0 ? 'web' : 'edge', n === 4 ? 'rolled_back' : 'succeeded'));
  expect(store.updates.past({ container: 'web', limit: 2 }).map(({ id }) => id)).toEqual([ids[4], ids[2]]);
  expect(store.updates.past({ limit: 3 }).map(({ id }) => id)).toEqual([ids[5], ids[4], ids[3]]);
});

test('past backups are those that ended, also the removed ones, with their size and time', async () => {
  const take = async (status: 'succeeded' | 'failed', bytes: number | null) => {
    const { id } = store.backups.insert({ project: 'git', container: null, reason: 'schedule', updateId: null });
    store.backups.change(id, { status: 'running', startedAt: clock.now().toISOString() });
    await clock.advance(3_000);
    store.backups.change(id, { status, bytes, finishedAt: clock.now().toISOString() });
    return id;
  };
  store.backups.prune(await take('succeeded', 5), 'There is a newer one.');
  await take('failed', null);
  await take('succeeded', 7);
  store.backups.insert({ project: 'git', container: null, reason: 'schedule', updateId: null });
  const past = store.backups.past(10);
  expect(past.map(({ status, bytes }) => [status, bytes])).toEqual([
    ['succeeded', 7],
    ['failed', null],
    ['succeeded', 5],
  ]);
  expect(past[0]?.seconds).toBeCloseTo(3, 1);
  expect(store.backups.past(1)).toHaveLength(1);
});
