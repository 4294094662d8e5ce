import { changeWithoutOthers, ofSameSet, type OtherUpdate } from '../../../src/domain/data/changes-of-others';
import { compareFingerprints } from '../../../src/domain/data/compare-fingerprints';
import type { DatabaseFingerprint, DataFingerprint } from '../../../src/domain/data/data-fingerprint';

const at = (database: string, last: string, server = 'db'): DatabaseFingerprint => ({
  ...{ server, database, objects: {} },
  migrations: { schema_version: { rows: 1, hash: last, last } },
});
const set = (...databases: DatabaseFingerprint[]): DataFingerprint => ({
  servers: [{ id: 'x', name: databases[0]?.server ?? 'db' }],
  ...{ databases, unread: [] },
});
const update = (container: string, before: DataFingerprint, after: DataFingerprint): OtherUpdate => ({
  ...{ container, before },
  changes: compareFingerprints(before, after).changes,
});

const before = set(at('app', '1'), at('cloud', '1'));
const cloudUpdated = update('cloud', before, set(at('app', '1'), at('cloud', '2')));
const unread = [{ what: 'database cloud of db', why: 'cloud was updated since and changed it' }];

test('what another update changed since is no change of this one, but not known', () => {
  expect(changeWithoutOthers(before, set(at('app', '1'), at('cloud', '2')), [cloudUpdated])).toEqual({
    ...{ changes: [], unread },
  });
});

test('a database that this update created is named as created, whether others changed something or not', () => {
  const created = ['database queue of db'];
  for (const others of [[], [cloudUpdated]])
    expect(changeWithoutOthers(before, set(at('app', '1'), at('cloud', '2'), at('queue', '1')), others)).toMatchObject({
      created,
    });
});

test('a change of a database that no other update changed counts', () => {
  expect(changeWithoutOthers(before, set(at('app', '2'), at('cloud', '2')), [cloudUpdated])).toEqual({
    ...{ changes: ['database app of db: schema_version 1 → 2'], unread },
  });
});

test('a change from before the other update counts', () => {
  const later = update('cloud', set(at('cloud', '2')), set(at('cloud', '3')));
  expect(changeWithoutOthers(before, set(at('app', '1'), at('cloud', '3')), [later]).changes).toEqual([
    'database cloud of db: schema_version 1 → 2',
  ]);
});

test('of several that changed a database the first counts', () => {
  const again = update('cron', set(at('cloud', '2')), set(at('cloud', '3')));
  const now = set(at('app', '1'), at('cloud', '3'));
  expect(changeWithoutOthers(before, now, [cloudUpdated, again])).toEqual({ changes: [], unread });
});

test('a database that the other update created, dropped or changed back is no change', () => {
  const created = update('cloud', set(at('app', '1')), before);
  expect(changeWithoutOthers(set(at('app', '1')), before, [created]).changes).toEqual([]);
  const dropped = update('cloud', before, set(at('app', '1')));
  expect(changeWithoutOthers(before, set(at('app', '1')), [dropped]).changes).toEqual([]);
  expect(changeWithoutOthers(before, before, [cloudUpdated])).toEqual({ changes: [], unread: [] });
});

test('only updates on the same server are of the set', () => {
  const elsewhere = update('other', set(at('app', '1', 'db2')), set(at('app', '2', 'db2')));
  expect(ofSameSet(before, [elsewhere, cloudUpdated])).toEqual([cloudUpdated]);
});
