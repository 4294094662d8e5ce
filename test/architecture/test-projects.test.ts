import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const { projects } = jest.requireActual<{ projects: { displayName: string }[] }>('../../jest.config.js');

function testsOf(project: string): string[] {
  const args = [join(ROOT, 'node_modules/jest/bin/jest.js'), '--listTests', '--passWithNoTests', '--selectProjects'];
  const listed = execFileSync(process.execPath, [...args, project], { cwd: ROOT, encoding: 'utf8' });
  return listed.split('\n').filter((line) => line.includes('.test.'));
}

test('every test file belongs to exactly one project, and npm test runs every project', () => {
  const found = projects.flatMap(({ displayName }) => testsOf(displayName));
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.test\.tsx?$/.test(file))
    .map((file) => join(ROOT, 'test', file));
  expect(files.length).toBeGreaterThan(100);
  expect(found.sort()).toEqual(files.sort());
  const runner = readFileSync(join(ROOT, 'test/lab/run-tests.ts'), 'utf8');
  expect(projects.filter(({ displayName }) => !runner.includes(`'${displayName}'`))).toEqual([]);
}, 120_000);

test('the files that begin first are there', () => {
  const { LONGEST } = jest.requireActual<{ LONGEST: string[] }>('../../jest.long-first.js');
  expect(LONGEST.filter((file) => !existsSync(join(ROOT, 'test', file)))).toEqual([]);
});

test('a field report is named as a sentence and short enough to read as documentation', () => {
  const folder = join(ROOT, 'test/field');
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /^field\/.*\.test\.ts$/.test(file),
  );
  const lines = (file: string): number => readFileSync(join(folder, '..', file), 'utf8').split('\n').length;
  const isSentence = (file: string): boolean => (file.split('/').at(-1) ?? '').split('.')[0]!.split('-').length >= 3;
  expect(files.filter((file) => lines(file) > 200 || !isSentence(file))).toEqual([]);
});
