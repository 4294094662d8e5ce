import { changeAsDetail, compareFingerprints, unknownChange } from '../../../src/domain/data/compare-fingerprints';
import type { DatabaseFingerprint, DataFingerprint, ObjectsOfKind } from '../../../src/domain/data/data-fingerprint';

const of = (names: Record<string, string>): ObjectsOfKind => ({
  count: Object.keys(names).length,
  hash: JSON.stringify(Object.entries(names).sort()),
  names,
});

const app = (fields: Partial<DatabaseFingerprint> = {}): DatabaseFingerprint => ({
  server: 'db',
  database: 'app',
  objects: { table: of({ feeds: 'a' }), column: of({ 'feeds.id': 'i' }) },
  migrations: { schema_version: { rows: 1, hash: '1', last: '114' } },
  ...fields,
});

const set = (databases: DatabaseFingerprint[], unread: DataFingerprint['unread'] = []): DataFingerprint => ({
  servers: [{ id: 'x', name: 'db' }],
  databases,
  unread,
});

const changes = (before: DatabaseFingerprint, after: DatabaseFingerprint): string[] =>
  compareFingerprints(set([before]), set([after])).changes;

test('the same twice is no change', () => {
  const change = compareFingerprints(set([app()]), set([app()]));
  expect(change).toEqual({ changes: [], unread: [] });
  expect(changeAsDetail(change)).toBe('the schema of its databases is unchanged');
});

test('migration tables come first, then what was added, dropped and altered of each kind, by name', () => {
  const after = app({
    objects: {
      table: of({ icons: 'b', jobs: 'c', feeds: 'a', tokens: 'd', users: 'e' }),
      column: of({ 'feeds.id': 'j', 'icons.id': 'k' }),
      index: of({ 'feeds.feeds_url': 'l' }),
    },
    migrations: { schema_version: { rows: 1, hash: '2', last: '135' } },
  });
  expect(changes(app(), after)).toEqual([
    'database app of db: schema_version 114 → 135, 4 tables added (icons, jobs, tokens, …), 1 column altered (feeds.id), 1 index added (feeds.feeds_url)',
  ]);
  expect(changes(after, app())).toEqual([
    'database app of db: schema_version 135 → 114, 4 tables dropped (icons, jobs, tokens, …), 1 column altered (feeds.id), 1 index dropped (feeds.feeds_url)',
  ]);
});

test('rows or content of a migration table, where its newest row says the same', () => {
  const table = (rows: number | null, hash: string | null) => app({ migrations: { m: { rows, hash, last: 'same' } } });
  expect(changes(table(3, 'a'), table(4, 'b'))).toEqual(['database app of db: m 3 → 4 rows']);
  expect(changes(table(3, 'a'), table(3, 'b'))).toEqual(['database app of db: m has other content']);
  expect(changes(table(3, 'a'), table(null, null))).toEqual(['database app of db: m 3 → many rows']);
});

test('too many objects to be named are counted, and equal numbers with another hash are a change', () => {
  const many = (count: number, hash: string) => app({ objects: { column: { count, hash, names: null } } });
  expect(changes(many(5000, 'a'), many(5000, 'b'))).toEqual(['database app of db: columns changed (5000 → 5000)']);
});

test('a database that was created or dropped', () => {
  const other = app({ database: 'other' });
  expect(compareFingerprints(set([app(), other]), set([app()])).changes).toEqual(['database other of db: dropped']);
  expect(compareFingerprints(set([app()]), set([app(), other])).changes).toEqual(['database other of db: created']);
});

test('what could not be read before or after is neither created nor dropped: it is not known', () => {
  const lost = { what: 'server db', why: 'psql: error: connection refused\nIs the server running?' };
  const change = compareFingerprints(set([app()]), set([], [lost]));
  expect(change).toEqual({ changes: [], unread: [lost] });
  expect(unknownChange(change)).toBe(
    'diun-pilot could not read whether the new version changed the data: server db (psql: error: connection refused Is the server running?).',
  );
  expect(compareFingerprints(set([], [lost]), set([app()])).changes).toEqual([]);
});

test('names of strangers stay one line, and none is mistaken for what every object has', () => {
  const hostile = { __proto__: 'a', constructor: 'b', 'x\n\u202e[31mDROP': 'c', ['n'.repeat(500)]: 'd' };
  const after = app({
    objects: { ...app().objects, table: of({ feeds: 'a', ...JSON.parse(JSON.stringify(hostile)) }) },
  });
  const [change = ''] = changes(app(), after);
  expect(change).toMatch(/tables added/);
  expect(change).not.toMatch(/[\n\u202e]/);
  expect(change.length).toBeLessThan(400);
});
