import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { SWAP, SWAP_BACK, TIDY } from '../../src/restores/files/move-scripts';

// A mount below the path: `mv` to it and from it copies, then removes. The shell is killed in the middle of each command.
const OLD = { 'data/a': 'old', 'data/sub/big/1': 'old', 'data/sub/big/2': 'old', 'data/sub/gone': 'old' };
const NEW = { 'data/a': 'new', 'data/sub/big/1': 'new', 'data/sub/big/2': 'new', 'data/sub/more': 'new' };
const [RESTORE, BEFORE] = ['.diun-pilot-restore-0123456789-01', '.diun-pilot-before-0123456789-01'];

/** mv, cp and rm; the one with the number CUT is done in part, and kills the shell. */
const TOOL = `#!/bin/sh
PATH=$REAL; tool=\${0##*/}; for last in "$@"; do :; done
number=$(($(cat "$TOOLS/count") + 1)); echo $number > "$TOOLS/count"
side() { case "$1" in "$MOUNT"/*) echo mount ;; *) echo outside ;; esac; }
lose_one() { find "$1" ! -type d | head -n 1 | xargs -r rm -f; }
cut() { [ "$number" != "$CUT" ] || { [ $# = 0 ] || lose_one "$1"; kill -9 $PPID; exit 1; }; }
case $tool in
  rm) cut "$last" ;;
  cp) $tool "$@"; cut "$last"; exit ;;
  mv) if [ "$(side "$1")" = "$(side "$last")" ]; then cut; else
        [ -d "$last" ] && last=$last/\${1##*/}
        cp -a "$1" "$last"; cut "$1"; rm -rf "$1"; exit
      fi ;;
esac
exec $tool "$@"
`;

let tools: string;
let root: string;
beforeAll(() => {
  tools = mkdtempSync(join(tmpdir(), 'tools-'));
  for (const tool of ['mv', 'cp', 'rm']) {
    writeFileSync(join(tools, tool), TOOL);
    chmodSync(join(tools, tool), 0o755);
  }
});
afterAll(() => rmSync(tools, { recursive: true }));
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'swap-'))));
afterEach(() => rmSync(root, { recursive: true }));

function write(files: Record<string, string>, below: string): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(below, path)), { recursive: true });
    writeFileSync(join(below, path), content);
  }
}

/** The files that have not been moved aside, by their paths. */
function read(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]));
}

const inPlace = (files: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).filter(([path]) => !path.includes('.diun-pilot-')));

/** False: it was killed. */
function run(script: string, cut: number): boolean {
  const path = join(root, 'data');
  writeFileSync(join(tools, 'count'), '0');
  const REAL = process.env['PATH'] ?? '';
  const env = { PATH: `${tools}:${REAL}`, REAL, TOOLS: tools, MOUNT: join(path, 'sub'), CUT: String(cut) };
  const args = [path, join(path, RESTORE, 'data'), BEFORE, path, join(path, 'sub')];
  const { signal, status, stderr } = spawnSync('sh', ['-c', script, 'sh', ...args], { env, encoding: 'utf8' });
  if (signal === null) expect([status, stderr]).toEqual([0, '']);
  return signal === null;
}

function killedAt(cut: number): boolean {
  rmSync(join(root, 'data'), { recursive: true, force: true });
  write(OLD, root);
  write(NEW, join(root, 'data', RESTORE));
  return !run(SWAP, cut);
}

test('a swap that is killed in the middle of any command is completed by the next, with nothing lost', () => {
  let cut = 0;
  while (killedAt(++cut)) {
    run(SWAP, 0);
    const files = read(root);
    expect([cut, inPlace(files)]).toEqual([cut, NEW]);
    const aside = Object.entries(files).filter(([path]) => path.includes(BEFORE));
    expect([cut, aside.map(([path, content]) => [path.replace(`${BEFORE}/`, ''), content]).sort()]).toEqual([
      cut,
      Object.entries(OLD).sort(),
    ]);
  }
  expect(cut).toBeGreaterThan(20);
});

test('or is undone, also where that is killed', () => {
  let cut = 0;
  while (killedAt(++cut)) {
    run(SWAP_BACK, cut);
    run(SWAP_BACK, 0);
    expect([cut, inPlace(read(root))]).toEqual([cut, OLD]);
    // What was unpacked is whole, so that the swap can be made again.
    run(SWAP, 0);
    expect([cut, inPlace(read(root))]).toEqual([cut, NEW]);
  }
});

test('a file that is mounted there and what is read-only stay as they are, forth and back', () => {
  const own = { 'data/conf.yaml': 'own', 'data/ro/x': 'own', 'data/ro/on/y': 'own' };
  const ofSet = { 'data/conf.yaml': 'of the set', 'data/ro/x': 'of the set', 'data/ro/new': 'of the set' };
  write({ ...OLD, ...own }, root);
  write({ ...NEW, ...ofSet }, join(root, 'data', RESTORE));
  const [path, ...below] = ['', 'conf.yaml', 'sub'].map((name) => join(root, 'data', name).replace(/\/$/, '')) as [
    string,
  ];
  const args = [path, join(path, RESTORE, 'data'), BEFORE, path, ...below, '--', join(path, 'ro'), join(path, 'ro/on')];
  const sh = (script: string): string[] => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', ...args], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    return stdout.split('\n').filter((line) => line !== '');
  };
  sh(SWAP);
  expect(inPlace(read(root))).toEqual({ ...NEW, ...own });
  sh(SWAP_BACK);
  expect(inPlace(read(root))).toEqual({ ...OLD, ...own });
  sh(SWAP);
  expect(sh(TIDY)).toEqual([join(path, BEFORE), join(path, 'sub', BEFORE)]);
  expect(read(join(root, 'data', 'ro'))).toEqual({ x: 'own', 'on/y': 'own' });
});
