import { findOrphans } from '../../../../src/backups/prune-backups';

const ID = '01KAT3W9A0BCDEFGHJKMNPQRST';
const NOW = new Date('2026-11-25T12:00:00Z');
const folder = (time = '20261123T020000Z', place = 'shop'): string => `${place}/${time}-${ID}`;
const foldersOf = (...keys: string[]): string[] => findOrphans(keys, NOW).map((orphan) => orphan.folder);

test('finds the folder of a backup that never got its manifest, with all its objects', () => {
  const keys = [`${folder()}/01-db-globals.sql.gz`, `${folder()}/02-db-database-shop.dump`];
  const startedAt = Date.parse('2026-11-23T02:00:00Z');
  expect(findOrphans(keys, NOW)).toEqual([{ folder: folder(), recordId: ID, startedAt, keys }]);
});

test.each([
  ['a whole set', [`${folder()}/01-db-globals.sql`, `${folder()}/manifest.json`]],
  ['what is younger than a day', [`${folder('20261124T120001Z')}/01-db-globals.sql`]],
  ['a folder with a stranger’s file in it', [`${folder()}/01-db-globals.sql`, `${folder()}/notes.txt`]],
  ['another layout', [`shop/2026-11-23/01-db.sql`, `shop/01-db.sql`, '01-db.sql', `a/${folder()}/01-db.sql`]],
  ['a time that is none', [`${folder('20269999T020000Z')}/01-db-globals.sql`]],
  ['an id that is none', [`shop/20261123T020000Z-somebody/01-db-globals.sql`]],
])('leaves %s alone', (_what, keys) => {
  expect(foldersOf(...keys)).toEqual([]);
});
