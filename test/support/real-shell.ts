import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandCall, FakeFiles, Outcome, Scripts } from './fake-engine-types';
import { MEMORY } from './scene-disk';

/** An image with a shell: `sh -c SCRIPT sh ARG…` is run by the real one, on a copy of what is mounted in the fake container. */
export const REAL_SHELL: Scripts = { '/bin/sh -c *': runForReal };

function runForReal({ command, container, files }: CommandCall): Outcome {
  const root = mkdtempSync(join(MEMORY, 'shell-'));
  const mounted = container.Mounts.map(({ Destination }) => Destination);
  try {
    for (const folder of mounted) copyOut(files, folder, root);
    const args = command.slice(3).map((arg) => (arg.startsWith('/') ? join(root, arg) : arg));
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', command[2] ?? '', ...args], { encoding: 'utf8' });
    for (const folder of mounted) copyIn(files, folder, root);
    return { exitCode: status ?? 137, stdout: stdout.replaceAll(root, ''), stderr: stderr.replaceAll(root, '') };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function copyOut(files: FakeFiles, folder: string, root: string): void {
  for (const path of [folder, ...files.folders(folder)]) mkdirSync(join(root, path), { recursive: true });
  for (const path of files.list(folder)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), files.read(path) ?? '');
  }
}

function copyIn(files: FakeFiles, folder: string, root: string): void {
  files.clear(folder);
  for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) files.addFolder(path.slice(root.length));
    else files.write(path.slice(root.length), readFileSync(path));
  }
}
