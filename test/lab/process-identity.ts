import { readFileSync } from 'node:fs';

/**
 * What tells this process from a later one that got the same number: its start time, or just "alive" where the system
 * does not say. Null: no such process, or only its entry waits to be collected.
 */
export function identityOf(pid: number): string | null {
  try {
    // Field 2 is the name in parentheses and may hold anything; the fields after it are plain.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? 'alive');
  } catch {
    return process.platform === 'linux' ? null : answersSignals(pid);
  }
}

/** A process, or with a negative number its group. One that has ended already, perhaps this moment, needs no signal. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function answersSignals(pid: number): string | null {
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch {
    return null;
  }
}
