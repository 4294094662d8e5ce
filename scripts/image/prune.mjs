// prune.mjs APP: removes from APP/node_modules and APP/dist what is never loaded: types, source maps, sources of native modules,
// builds for other module systems, tests and documents. Licences stay. What is left can be read by every user: a repository that was
// cloned with umask 077 would else give an image whose own user cannot read it.
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';

const app = resolve(process.argv[2] ?? '.');

const LICENCE = /^(?:(?:un)?licen[cs]e|copying|notice)(?:[.-](?:md|txt|markdown|mit|bsd|apache)[\w.-]*)?$/i;
const NEVER_LOADED =
  /\.(?:map|ts|mts|cts|md|markdown|c|cc|cpp|h|hpp|gyp|gypi|mk|o|a|d|flow|tsbuildinfo)$|^Makefile$|^\.package-lock\.json$/;
// In the root of a package only: deeper down such a name may be code (yaml/dist/doc).
const SIDE_FOLDERS = [
  'test',
  'tests',
  '__tests__',
  'docs',
  'example',
  'examples',
  'benchmark',
  'benchmarks',
  'coverage',
  '.github',
];

/** Folders of packages that no `require` of this platform reaches. */
const UNUSED = [
  [/^@(?:aws-sdk|aws|smithy|aws-crypto)\//, ['dist-es', 'dist-types', 'dist-browser']],
  [/^(?:@types\/.*|cpu-features|buildcheck|nan)$/, ['.']], // the last three: an option of ssh2 that is never built
  [/^bare-/, ['prebuilds']], // for the runtime Bare
  [
    /^better-sqlite3$/,
    ['deps', 'src', 'build/deps', 'build/Release/obj', 'build/Release/obj.target', 'build/Release/.deps'],
  ],
  [/^luxon$/, ['src', 'build/amd', 'build/cjs-browser', 'build/es6', 'build/global']],
  [/^protobufjs$/, ['dist', 'scripts', 'cli']],
  [/^zod$/, ['src']],
];

const modules = join(app, 'node_modules');
if (!existsSync(modules)) throw new Error(`${modules} does not exist`);
rmSync(join(modules, '.bin'), { recursive: true, force: true });
for (const root of packagesIn(modules)) prunePackage(root);
for (const folder of [modules, join(app, 'dist')]) pruneFiles(folder);
makeReadable(join(app, 'package.json'));

/** Roots of all packages, nested ones too. */
function packagesIn(folder) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.'),
  );
  return names.flatMap(({ name }) => {
    const path = join(folder, name);
    return name.startsWith('@') ? packagesIn(path) : [path, ...packagesIn(join(path, 'node_modules'))];
  });
}

function prunePackage(root) {
  const name = root.split(`${sep}node_modules${sep}`).at(-1).split(sep).join('/');
  const side = SIDE_FOLDERS.filter((folder) => !isEntryOf(root, folder));
  const unused = UNUSED.filter(([pattern]) => pattern.test(name)).flatMap(([, folders]) => folders);
  for (const folder of [...side, ...unused]) rmSync(join(root, folder), { recursive: true, force: true });
}

/** Whether package.json names a file of that folder: then it is code. */
function isEntryOf(root, folder) {
  const file = join(root, 'package.json');
  if (!existsSync(file)) return false;
  const { main, exports, bin } = JSON.parse(readFileSync(file, 'utf8'));
  return JSON.stringify([main, exports, bin]).replaceAll('"./', '"').includes(`"${folder}/`);
}

/** Removes files, then folders that are empty; true: nothing is left of it. */
function pruneFiles(folder) {
  if (!existsSync(folder)) return false;
  let left = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) left += pruneFiles(path) ? 0 : 1;
    else if (NEVER_LOADED.test(entry.name) && !LICENCE.test(basename(entry.name))) rmSync(path);
    else {
      left++;
      makeReadable(path);
    }
  }
  makeReadable(folder);
  if (left > 0 || relative(app, folder).split(sep).length < 2) return false;
  rmdirSync(folder);
  return true;
}

function makeReadable(path) {
  if (!existsSync(path)) return;
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  const isEntered = stat.isDirectory() || (stat.mode & 0o100) !== 0;
  chmodSync(path, (stat.mode & 0o7777) | (isEntered ? 0o555 : 0o444));
}
