import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { identityOf } from './process-identity';

/** Another lab works in the same folder; two would take down each other's parts. */
export class LabBusy extends Error {
  constructor(dir: string, pid: number) {
    super(`another lab (process ${pid}) works in ${dir}: wait for its end, or choose another folder with LAB_DIR`);
    this.name = 'LabBusy';
  }
}

/** Takes the folder for this process and returns how to give it back. The lock of a dead process is taken over. */
export function takeLabLock(dir: string): () => void {
  const file = join(dir, 'lab.lock');
  const taken = takeLock(file);
  if (typeof taken === 'number') throw new LabBusy(dir, taken);
  return taken;
}

/** Takes `file` for this process, waits for as long as another living process has it, and returns how to give it back. */
export async function waitForLock(file: string): Promise<() => void> {
  for (;;) {
    const taken = takeLock(file);
    if (typeof taken !== 'number') return taken;
    await pause(500);
  }
}

/** How to give the lock back; a number: the process that has it. */
function takeLock(file: string): (() => void) | number {
  for (;;) {
    try {
      writeFileSync(file, `${process.pid} ${identityOf(process.pid)}`, { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid, identity] = holderOf(file);
    if (identityOf(Number(pid)) === identity) return Number(pid);
    rmSync(file, { force: true });
  }
}

function holderOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(' ');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
