import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

const FOLDER = join(__dirname, '../../src/adapters/sqlite/migrations');

test('every migration has a number of its own, without a gap: the number of files is the version of the schema', () => {
  const numbers = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sql'))
    .map((path) => basename(path))
    .sort()
    .map((file) => Number(file.slice(0, 3)));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});
