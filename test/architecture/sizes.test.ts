import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ROOT = join(__dirname, '..', '..');

function filesBelow(folder: string, ending: RegExp): { file: string; lines: number }[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ file: relative(ROOT, path), lines: readFileSync(path, 'utf8').split('\n').length - 1 }));
}

test('no file of the sources has more than 300 lines', () => {
  const files = filesBelow('src', /\.(tsx?|sql)$/);
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter(({ lines }) => lines > 300)).toEqual([]);
});

test('no test file has 400 lines or more', () => {
  expect(filesBelow('test', /\.tsx?$/).filter(({ lines }) => lines >= 400)).toEqual([]);
});

test('no folder of the sources has more than 20 files directly in it', () => {
  const files = filesBelow('src', /./);
  const folders = new Map<string, number>();
  for (const { file } of files) folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + 1);
  expect(folders.size).toBeGreaterThan(30);
  expect([...folders].filter(([, count]) => count > 20)).toEqual([]);
});

test('no file is named after nothing in particular', () => {
  const vague = /(^|[-.])(manager|service|helpers?|utils?|misc|common)([-.]|$)/i;
  const names = [...filesBelow('src', /\.tsx?$/), ...filesBelow('test', /\.tsx?$/)].map(({ file }) => file);
  expect(names.filter((file) => vague.test(file.split('/').at(-1) ?? ''))).toEqual([]);
});
