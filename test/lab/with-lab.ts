import { Closers } from './closers';
import { endCommands } from './command';
import type { Say } from './lab';
import { openLab, type OpenLab } from './open-lab';

/** Ctrl-C, SIGTERM or a closed terminal ended the work. */
export class Interrupted extends Error {
  constructor(readonly signal: string) {
    super(`interrupted by ${signal}`);
    this.name = 'Interrupted';
  }
}

/**
 * Brings the lab up, works in it, and takes down all it made, whatever ends the work: its own end, an error, a signal
 * (then it throws Interrupted). A second Ctrl-C does not cut the taking down short.
 */
export async function withLab<T>(say: Say, work: (lab: OpenLab) => Promise<T>): Promise<T> {
  const ending = endOfProcess();
  const closers = new Closers(say);
  const opening = openLab(say, closers);
  try {
    return await Promise.race([opening.then(work), ending]);
  } finally {
    endCommands();
    await closers.closeAll();
    // Interrupted half-way up: what it still opens, it closes again; then it is over.
    await Promise.allSettled([Promise.race([opening, pause(60_000)])]);
  }
}

/** Rejects when somebody wants this process to end, or when it is broken. */
function endOfProcess(): Promise<never> {
  const ending = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => reject(new Interrupted(signal)));
    }
    process.on('uncaughtException', reject);
  });
  ending.catch(() => undefined);
  return ending;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
