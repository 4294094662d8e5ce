import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
  for (;;) {
    try {
      writeFileSync(file, `${process.pid} ${identityOf(process.pid)}`, { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const [pid, identity] = readFileSync(file, 'utf8').split(' ');
      if (identityOf(Number(pid)) === identity) throw new LabBusy(dir, Number(pid));
      rmSync(file, { force: true });
    }
  }
}
