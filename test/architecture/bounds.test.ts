import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOUNDS, TAG_LISTING } from '../../src/domain/bounds';

const SOURCE = join(__dirname, '../../src');
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
const textOf = (file: string): string => readFileSync(join(SOURCE, file), 'utf8');

test('every answer that is kept in memory is read through lib/streams', () => {
  const unbounded =
    /from '(?:node:)?(?:stream\/consumers|readline)'|\bfetch\(|(?<!format)\.(?:json|arrayBuffer|text)\(\)/;
  // The page's own script talks to its own server.
  expect(files.filter((file) => unbounded.test(textOf(file)))).toEqual([]);
});

test('the bounds are in one table, each used', () => {
  const all = files.map(textOf).join('\n');
  const unused = Object.keys(BOUNDS).filter((name) => !all.includes(`BOUNDS.${name}`));
  expect(unused).toEqual([]);
  expect(
    Object.keys(TAG_LISTING).filter(
      (name) => !new RegExp(`TAG_LISTING\\.${name}|\\b${name}[:,].*TAG_LISTING`).test(all),
    ),
  ).toEqual([]);
});

test('no bound is larger than the memory that the stack gives to diun-pilot', () => {
  const limit = 512 * 1024 * 1024;
  for (const [name, { bytes }] of Object.entries(BOUNDS)) expect([name, bytes <= limit / 8]).toEqual([name, true]);
  expect(TAG_LISTING.bytes).toBeLessThanOrEqual(limit / 8);
});
