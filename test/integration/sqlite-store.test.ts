import Sqlite from 'better-sqlite3';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { takeWorkerLock } from '../../src/adapters/sqlite/database';
import { systemClock } from '../../src/lib/clock';
import type { ImageEvent } from '../../src/domain/event';
import type { NewUpdate, Store } from '../../src/ports/store';

let folder: string;
let store: Store;
const open = (): Store => createSqliteStore({ path: join(folder, 'pilot.db'), clock: systemClock });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-'));
  store = open();
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

test('its files are for the owner alone, also in a folder that others may read', () => {
  chmodSync(folder, 0o755);
  store.inbox.reject('a body', 'a reason');
  for (const name of ['pilot.db', 'pilot.db-wal', 'pilot.db-shm']) {
    expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
  }
});

const webhook = (digest: string, differs: Partial<ImageEvent> = {}, image = 'docker.io/library/nginx:stable') => ({
  body: `{"digest":"${digest}"}`,
  event: {
    target: { reference: image, digest },
    status: 'update' as const,
    platform: 'linux/amd64',
    releaseNotes: null,
    ...differs,
  },
});

const queued = (container: string, fields: Partial<NewUpdate> = {}): NewUpdate => ({
  container,
  project: 'web',
  service: container,
  policy: 'automatic',
  status: 'queued',
  reason: 'a patch',
  source: 'diun',
  from: { reference: 'nginx:1.27.3', digest: 'sha256:a' },
  to: { reference: 'nginx:1.27.4', digest: 'sha256:b' },
  approval: null,
  followUp: null,
  ...fields,
});

describe('the inbox', () => {
  it('counts the second request for one digest as a duplicate, and hands only the first on', () => {
    const first = store.inbox.accept(webhook('sha256:1'));
    const second = store.inbox.accept(webhook('sha256:1'));
    expect([first.duplicate, second.duplicate]).toEqual([false, true]);
    expect(store.inbox.pending(10).map(({ id }) => id)).toEqual([first.id]);
  });

  it('counts the same digest of another platform, or under another status, as news', () => {
    const answers = [{}, { platform: 'linux/arm64' }, { status: 'new' as const }].map((differs) =>
      store.inbox.accept(webhook('sha256:1', differs)),
    );
    expect(answers.map(({ duplicate }) => duplicate)).toEqual([false, false, false]);
  });

  it('hears a tag that goes to another digest and back again', () => {
    const answers = ['sha256:1', 'sha256:2', 'sha256:1'].map((digest) => store.inbox.accept(webhook(digest)));
    expect(answers.map(({ duplicate }) => duplicate)).toEqual([false, false, false]);
  });

  it('keeps what is pending over a restart, and a rejected body with its reason', () => {
    const accepted = webhook('sha256:1', { status: 'new', releaseNotes: 'https://nginx.org/en/CHANGES' });
    const { id } = store.inbox.accept(accepted);
    store.inbox.reject('not json', 'The body is not JSON.');
    store.close();
    store = open();
    expect(store.inbox.pending(10)).toMatchObject([{ id, ...accepted }]);
    expect(store.inbox.recent(1)[0]).toMatchObject({
      status: 'rejected',
      body: 'not json',
      outcome: 'The body is not JSON.',
    });
  });

  it('prunes what is old and handled, but not the last word on an image nor what waits', () => {
    const first = store.inbox.accept(webhook('sha256:1'));
    const last = store.inbox.accept(webhook('sha256:2'));
    const other = store.inbox.accept(webhook('sha256:3', {}, 'docker.io/library/postgres:16'));
    for (const { id } of [first, last]) store.inbox.handled(id, 'done');
    expect(store.inbox.prune('2999-01-01T00:00:00.000Z')).toBe(1);
    expect(store.inbox.recent(10).map(({ id }) => id)).toEqual([other.id, last.id]);
  });
});

describe('the queue of updates', () => {
  it('takes automatic before manual, and the oldest first', () => {
    const manual = store.updates.insert(queued('gitea', { policy: 'manual' }));
    const first = store.updates.insert(queued('nginx-a'));
    const second = store.updates.insert(queued('nginx-b'));
    const order: string[] = [];
    for (let next = store.updates.nextQueued(); next !== null; next = store.updates.nextQueued()) {
      order.push(next.id);
      store.updates.change(next.id, { status: 'succeeded' });
    }
    expect(order).toEqual([first.id, second.id, manual.id]);
  });

  it('pages newest first, and filters', () => {
    const ids = ['a', 'b', 'c', 'a', 'b'].map((name) => store.updates.insert(queued(name)).id).reverse();
    const page = store.updates.list({ limit: 3 });
    expect(page.updates.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    const rest = store.updates.list({ limit: 3, cursor: page.next ?? '' });
    expect(rest).toMatchObject({ next: null });
    expect(rest.updates.map(({ id }) => id)).toEqual(ids.slice(3));
    expect(store.updates.list({ limit: 9, container: 'a' }).updates).toHaveLength(2);
    expect(store.updates.list({ limit: 9, status: 'failed' }).updates).toHaveLength(0);
  });

  it('keeps steps in the order of the workflow, and begins one again after a crash', () => {
    const { id } = store.updates.insert(queued('nginx'));
    store.updates.beginStep(id, 'pull');
    store.updates.beginStep(id, 'backup');
    store.updates.endStep(id, 'backup', 'failed', 'no');
    store.updates.beginStep(id, 'backup');
    store.updates.stepDetail(id, 'backup', '3 MB');
    expect(store.updates.get(id)?.steps).toMatchObject([
      { name: 'backup', status: 'running', detail: '3 MB', finishedAt: null },
      { name: 'pull', status: 'running' },
    ]);
  });

  it('changes what it is told to change, and nothing else', () => {
    const before = store.updates.insert(queued('nginx'));
    const after = store.updates.change(before.id, { status: 'failed', error: { code: 'unhealthy', message: 'y' } });
    expect(after).toEqual({ ...before, status: 'failed', error: { code: 'unhealthy', message: 'y' } });
  });
});

test('the newest update of each container, also of one whose name must be quoted; none for one that has none', () => {
  store.updates.insert(queued('web'));
  const newest = store.updates.insert(queued('web', { status: 'ignored' }));
  const other = store.updates.insert(queued(`o"ther's`));
  store.updates.insert(queued('not-asked-for'));
  const found = store.updates.latestOf(['web', `o"ther's`, 'unknown']);
  expect([...found].map(([name, { id }]) => [name, id]).sort()).toEqual([
    [`o"ther's`, other.id],
    ['web', newest.id],
  ]);
  expect(store.updates.latestOf([]).size).toBe(0);
});

describe('a transaction', () => {
  it('writes the state and its mail together or not at all', () => {
    const { id } = store.updates.insert(queued('nginx'));
    expect(() =>
      store.transaction(() => {
        store.updates.change(id, { status: 'succeeded' });
        store.outbox.add({ kind: 'update_succeeded', updateId: id, subject: 's', html: 'h', text: 't' });
        throw new Error('power cut');
      }),
    ).toThrow('power cut');
    expect(store.updates.get(id)?.status).toBe('queued');
    expect(store.outbox.state().pending).toBe(0);
  });
});

describe('the worker lock', () => {
  it('is held by one only, and free again after its release', () => {
    const path = join(folder, 'worker.lock');
    const held = takeWorkerLock(path);
    expect(held).not.toBeNull();
    expect(takeWorkerLock(path)).toBeNull();
    held?.release();
    const again = takeWorkerLock(path);
    expect(again).not.toBeNull();
    again?.release();
  });
});

it('refuses a database of a newer version', () => {
  store.close();
  const database = new Sqlite(join(folder, 'pilot.db'));
  const known = database.pragma('user_version', { simple: true }) as number;
  database.pragma('user_version = 99');
  database.close();
  expect(open).toThrow(/schema 99/);
  const repaired = new Sqlite(join(folder, 'pilot.db'));
  repaired.pragma(`user_version = ${known}`);
  repaired.close();
  store = open();
});
