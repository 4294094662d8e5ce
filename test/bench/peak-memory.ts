import { readFileSync } from 'node:fs';

/** The most memory that a process ever held, in MiB; 0 once it is over. */
export function peakOf(pid: number | string | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
