import type { RestartPolicy } from '../../../src/domain/engine-inspect';
import { codeOf, EngineError } from '../../../src/domain/errors';
import type { Scene } from '../scene';

/** How an engine goes: gracefully, at once, or with the whole host and diun-pilot. */
export type End = 'SIGTERM' | 'SIGKILL' | 'host';

/** Number of the call, from 1, before or after which it goes. */
export interface Fault {
  at: number;
  when: 'before' | 'after';
  end: End;
}

export const POLICIES: Record<string, RestartPolicy> = {
  no: { Name: 'no', MaximumRetryCount: 0 },
  always: { Name: 'always', MaximumRetryCount: 0 },
  'unless-stopped': { Name: 'unless-stopped', MaximumRetryCount: 0 },
  'on-failure': { Name: 'on-failure', MaximumRetryCount: 0 },
  'on-failure:3': { Name: 'on-failure', MaximumRetryCount: 3 },
};

/** Every end on both sides of each call from `from` to `to`. */
export function faultsBetween(from: number, to: number): Fault[] {
  const faults: Fault[] = [];
  for (let at = from; at <= to; at++)
    for (const when of ['before', 'after'] as const)
      for (const end of ['SIGTERM', 'SIGKILL', 'host'] as const) faults.push({ at, when, end });
  return faults;
}

/** The call meets an engine that goes away, before it does it or before it has answered. */
export function restartAt({ engine }: Scene, { at, when }: Fault, how: 'SIGTERM' | 'SIGKILL'): void {
  const hook = (): never => {
    engine.host.restartDaemon(how);
    throw new EngineError('engine_unreachable', 'The connection was cut.');
  };
  engine.onCall(at, hook, { when, once: true });
}

/** As the worker does: what an engine kept from its end is taken up when it answers again. */
export async function settleThroughOutages(scene: Scene): Promise<void> {
  for (;;) {
    try {
      return await scene.settle();
    } catch (error) {
      if (codeOf(error) !== 'engine_unreachable') throw error;
    }
  }
}
