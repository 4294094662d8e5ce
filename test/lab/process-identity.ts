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

function answersSignals(pid: number): string | null {
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch {
    return null;
  }
}
