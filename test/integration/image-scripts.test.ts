import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

// scripts/image: what the Dockerfile runs on /app. The whole image is in e2e/image.
const PRUNE = join(__dirname, '../../scripts/image/prune.mjs');
let app: string;
beforeEach(() => {
  app = mkdtempSync(join(tmpdir(), 'image-scripts-'));
});
afterEach(() => rmSync(app, { recursive: true }));

function put(file: string, mode: number, content = ''): void {
  const path = join(app, file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, content, { mode });
}

const modeOf = (file: string): string => (statSync(join(app, file)).mode & 0o7777).toString(8);
const prune = (): void => void execFileSync(process.execPath, [PRUNE, app]);

test('what a repository cloned with umask 077 gives can be read by the user of the image', () => {
  put('package.json', 0o600, '{}');
  put('dist/main.js', 0o700);
  put('dist/adapters/sqlite/migrations/001.sql', 0o600);
  put('node_modules/a/package.json', 0o600, '{"main": "index.js"}');
  put('node_modules/a/index.js', 0o600);
  symlinkSync('nowhere', join(app, 'node_modules/a/link'));
  chmodSync(join(app, 'dist'), 0o700);
  prune();
  const files = ['package.json', 'dist/main.js', 'dist/adapters/sqlite/migrations/001.sql', 'node_modules/a/index.js'];
  expect(files.map(modeOf)).toEqual(['644', '755', '644', '644']);
  expect(['dist', 'dist/adapters/sqlite/migrations', 'node_modules', 'node_modules/a'].map(modeOf)).toEqual([
    ...['755', '755', '755', '755'],
  ]);
});

test('what is never loaded goes, and licences and code stay', () => {
  put('package.json', 0o644, '{}');
  put('dist/main.js', 0o644);
  put('dist/main.js.map', 0o644);
  put('node_modules/a/package.json', 0o644, '{"main": "test/index.js"}');
  put('node_modules/a/test/index.js', 0o644);
  put('node_modules/a/docs/guide.js', 0o644);
  put('node_modules/a/LICENSE.md', 0o644);
  put('node_modules/a/README.md', 0o644);
  prune();
  const there = (file: string): boolean => existsSync(join(app, file));
  expect(['dist/main.js', 'node_modules/a/test/index.js', 'node_modules/a/LICENSE.md'].map(there)).not.toContain(false);
  expect(['dist/main.js.map', 'node_modules/a/docs', 'node_modules/a/README.md'].map(there)).not.toContain(true);
});
