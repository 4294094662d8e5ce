import type { Deps } from '../deps';
import { isEngineLost, messageOf } from '../domain/errors';
import { startLoop } from '../lib/loop';
import { rejoinGuests } from './rejoin-guests';

const LISTEN_AGAIN_MS = 3_000;
const REFUSED_MS = 30_000;
/** A connection may be dead without a word: the events are an alarm clock, not the truth. */
const LOOK_EVERY_MS = 60_000;
/** The delay until a failed repair is retried. */
const TRY_AGAIN_MS = 5_000;

export interface NetworkWatch {
  /** Checks and repairs if an event requires it; called by the worker, which holds the lock. Rejects with `engine_unreachable`. */
  repair(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Listens for containers that start: those that live in the network of one that was started again have lost it (facts,
 * Docker Engine). Looked at when the worker starts, when the engine comes back, after each start, and every minute.
 */
export function watchNetworks(deps: Deps, wake: () => void): NetworkWatch {
  const { clock, logger } = deps;
  let lookAt = clock.now().getTime();
  const ears = listen(deps, () => {
    lookAt = clock.now().getTime();
    wake();
  });
  return {
    repair: async () => {
      const now = clock.now().getTime();
      if (now < lookAt) return;
      lookAt = now + LOOK_EVERY_MS;
      try {
        if (!(await rejoinGuests(deps))) lookAt = Math.min(lookAt, now + TRY_AGAIN_MS);
      } catch (error) {
        if (!isEngineLost(error)) return void logger.error('a network could not be repaired', reasonOf(error));
        lookAt = now;
        throw error;
      }
    },
    stop: () => ears.stop(),
  };
}

/** Calls `look` after each start of a container, and whenever one may have been missed. */
function listen(deps: Deps, look: () => void): { stop(): Promise<void> } {
  const stopped = new AbortController();
  let refused = false;
  const loop = startLoop({
    clock: deps.clock,
    restMs: LISTEN_AGAIN_MS,
    gatherMs: 0,
    turn: async () => {
      await hearStarts(deps, stopped.signal, () => {
        refused = false;
        look();
      });
      return false;
    },
    failed: (error) => {
      if (stopped.signal.aborted || isEngineLost(error)) return LISTEN_AGAIN_MS;
      if (!refused) deps.logger.warn('no Docker events: networks are checked periodically', reasonOf(error));
      refused = true;
      look();
      return REFUSED_MS;
    },
  });
  return {
    stop: async () => {
      stopped.abort(new Error('stopped'));
      await loop.stop();
    },
  };
}

/** `heard`: once it listens, since one may have been missed before, and after each start. Rejects as `Engine.events`. */
async function hearStarts({ engine, logger }: Deps, signal: AbortSignal, heard: () => void): Promise<void> {
  const events = await engine.events(['start'], signal);
  heard();
  for await (const { containerId } of events) {
    logger.debug('a container was started', { id: containerId });
    heard();
  }
}

function reasonOf(error: unknown): { reason: string } {
  return { reason: messageOf(error) };
}
