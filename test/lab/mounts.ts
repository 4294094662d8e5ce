import { readFileSync } from 'node:fs';
import { run } from './command';

/** Unmounts whatever is mounted somewhere inside a folder, so that the folder can be removed. */
export async function unmountBelow(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts.reverse()) await run('umount', ['--lazy', path]);
}
