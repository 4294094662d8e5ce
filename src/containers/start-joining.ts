import { codeOf, messageOf, rethrowEngineLost } from '../domain/errors';
import { couldNotJoin } from '../domain/network/lost-guests';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import { inspectIfThere } from './read-containers';
import { rearm, type PolicyDeps } from './restart-policy';

const OWNER_WITHIN_MS = 15_000;
/** The engine, or a program that was just stopped, may release a port a moment late. */
const PORT_WITHIN_MS = 10_000;
const PORT_IS_TAKEN = /port is already allocated|address already in use/i;
const ASK_EVERY_MS = 500;

interface Parts extends PolicyDeps {
  clock: Clock;
}

/**
 * Starts a container with its own restart policy. Where it lives in the network of another that is on its way, as after a
 * restart of the engine, that one is waited for, for 15 s at most; a port that is still taken, for 10 s. Already running is
 * fine. Rejects as `Engine.start` does.
 */
export async function startJoining(parts: Parts, id: string): Promise<void> {
  const { engine, clock } = parts;
  await rearm(parts, id);
  for (let waited = 0; ; waited += ASK_EVERY_MS) {
    try {
      return await engine.start(id);
    } catch (error) {
      if (waited >= patienceFor(error)) throw error;
    }
    await clock.sleep(ASK_EVERY_MS);
  }
}

function patienceFor(error: unknown): number {
  if (codeOf(error) !== 'engine_refused') return 0;
  if (couldNotJoin(messageOf(error))) return OWNER_WITHIN_MS;
  return PORT_IS_TAKEN.test(messageOf(error)) ? PORT_WITHIN_MS : 0;
}

/**
 * An engine that comes back starts guests before the owners of their networks, and leaves those stopped (m); one with the
 * policy `no` it does not start at all. Neither is a fault of the container: it is started. If it cannot be, its health
 * check reports it. Rejects with `engine_unreachable`.
 */
export async function startIfStopped(parts: Parts & { logger: Logger }, id: string): Promise<void> {
  const inspect = await inspectIfThere(parts.engine, id);
  if (inspect === null || inspect.State.Running) return;
  try {
    await startJoining(parts, id);
  } catch (error) {
    rethrowEngineLost(error);
    parts.logger.warn('a container does not start again', { id, reason: messageOf(error) });
  }
}
