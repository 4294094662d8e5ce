import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { secretOnDisk } from '../../../src/config/secrets-on-disk';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const REPOSITORY = path.join(__dirname, '../../..');
/** Real processes, let go by the same end of input. */
const PROGRAM = `
  const { transformFileSync } = require(process.argv[1] + '/node_modules/@swc/core');
  const { code } = transformFileSync(process.argv[1] + '/src/config/secrets-on-disk.ts', {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' },
  });
  const module_ = { exports: {} };
  new Function('exports', 'require', code)(module_.exports, require);
  process.stdout.write('ready\\n');
  process.stdin.once('data', () => {
    process.stdout.write(module_.exports.secretOnDisk(process.argv[2], 'api-token', true));
    process.exit(0);
  });
`;

function startProcess(): { ready: Promise<void>; go: () => void; secret: Promise<string> } {
  const child = spawn(process.execPath, ['-e', PROGRAM, REPOSITORY, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('ready\n')) resolve();
    });
    child.once('error', reject);
  });
  const secret = new Promise<string>((resolve) => child.once('close', () => resolve(output.replace('ready\n', ''))));
  return { ready, go: () => child.stdin.write('go\n'), secret };
}

test('processes that start together agree on one secret, and leave no draft behind', async () => {
  const processes = [1, 2, 3, 4].map(startProcess);
  await Promise.all(processes.map(({ ready }) => ready));
  processes.forEach(({ go }) => go());
  const secrets = await Promise.all(processes.map(({ secret }) => secret));
  expect(new Set(secrets)).toEqual(new Set([secretOnDisk(folder, 'api-token', false)]));
  expect(secrets[0]).toMatch(/^[\w-]{43}$/);
  expect(readdirSync(path.join(folder, 'secrets'))).toEqual(['api-token']);
});

test('a folder that cannot be made is an error, not a secret that is lost at the end', () => {
  expect(() => secretOnDisk('/dev/null', 'api-token', true)).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
});
