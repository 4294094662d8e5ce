import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { requestBackups } from '../../src/backups/backup-queue';
import type { Store } from '../../src/ports/store';
import { aContainer } from '../support/container-builder';
import { TestClock } from '../support/test-clock';

let store: Store;
beforeEach(() => (store = createSqliteStore({ path: ':memory:', clock: new TestClock() })));
afterEach(() => store.close());

const labels = { 'backup.kind': 'files', 'backup.paths': '/data' };
const containers = [
  aContainer({ name: 'forge-gitea-1', project: 'forge', labels }),
  aContainer({ name: 'forge-runner-1', project: 'forge', labels }),
  aContainer({ name: 'wiki', project: null, labels }),
  aContainer({ name: 'shop-web-1', project: 'shop' }),
];

const ask = (project?: string): ReturnType<typeof requestBackups> =>
  requestBackups({ store, containers }, { project, reason: 'operator' });

test('asks for one backup of every set', () => {
  expect(ask()).toMatchObject([
    { project: null, container: 'wiki', status: 'queued', reason: 'operator', updateId: null },
    { project: 'forge', container: null, status: 'queued' },
  ]);
  expect(store.backups.nextQueued()).toMatchObject({ container: 'wiki' });
});

test.each([
  ['a project', 'forge', { project: 'forge', container: null }],
  ['a container outside any project', 'wiki', { project: null, container: 'wiki' }],
])('asks for that of %s alone', (_what, name, place) => {
  expect(ask(name)).toMatchObject([place]);
  expect(store.backups.list(10)).toHaveLength(1);
});

test('a set that waits already is not asked for twice; one that is being taken is', () => {
  const [first] = ask('forge');
  expect(ask('forge')).toEqual([first]);
  store.backups.change(first?.id ?? '', { status: 'running' });
  expect(ask('forge')[0]?.id).not.toBe(first?.id);
});

test('a backup that an update takes for itself does not stand for one that is asked for', () => {
  const own = store.backups.insert({ project: 'forge', container: null, reason: 'update', updateId: 'u1' });
  expect(ask('forge')[0]?.id).not.toBe(own.id);
});

test('a name that no project and no container has is told as such', () => {
  expect(() => ask('forgery')).toThrow(
    expect.objectContaining({ code: 'container_not_found', message: expect.stringContaining('forgery') }),
  );
  expect(store.backups.list(10)).toEqual([]);
});

test('a project without anything to back up is refused by name', () => {
  expect(() => ask('shop')).toThrow(
    expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining('shop') }),
  );
  expect(store.backups.list(10)).toEqual([]);
});

test('with nothing to back up anywhere there is nothing to ask for', () => {
  expect(requestBackups({ store, containers: [] }, { reason: 'schedule' })).toEqual([]);
});
