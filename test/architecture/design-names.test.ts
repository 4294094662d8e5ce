import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const design = readFileSync(join(ROOT, 'docs', 'design.md'), 'utf8');
const rooms = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter(({ name }) => name !== 'README.md');
const quoted = [...design.matchAll(/`([^`\n]+)`/g)].map(([, words = '']) => words);

/** `decisions/offer`, `test/bench/handover`, `adapters/docker/`: a file with or without its ending, or a folder. */
function namesOfFiles(): string[] {
  const folders = [...rooms.filter((room) => room.isDirectory()).map(({ name }) => name), 'test'];
  return quoted.filter((words) => /^[a-z-]+(\/[a-z0-9.-]+)+\/?$/.test(words) && folders.includes(words.split('/')[0]!));
}

function isThere(name: string): boolean {
  const path = name.startsWith('test/') ? join(ROOT, name) : join(ROOT, 'src', name);
  return ['', '.ts', '.tsx'].some((ending) => existsSync(`${path}${ending}`));
}

test('every file and folder that docs/design.md names is there', () => {
  expect(namesOfFiles().length).toBeGreaterThan(10);
  expect(namesOfFiles().filter((name) => !isThere(name))).toEqual([]);
});

test('every room of src has its row in docs/design.md', () => {
  const told = rooms.map((room) => (room.isDirectory() ? `${room.name}/` : room.name));
  expect(told.filter((room) => !quoted.includes(room))).toEqual([]);
});
