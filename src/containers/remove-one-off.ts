import { codeOf, messageOf, PilotError } from '../domain/errors';
import type { Clock } from '../lib/clock';
import type { Engine } from '../ports/engine';
import type { Store } from '../ports/store';
import { asideName, type Role } from './artifact-names';
import { triedAgainAt } from './kept-containers';

const STOPS_WITHIN_SECONDS = 2;
const AGAIN_AFTER_MS = [1_000, 10_000];

export interface OneOffDeps {
  engine: Engine;
  store: Pick<Store, 'keptContainers'>;
  clock: Clock;
}

/** A container that worked on a copy of the data, for a rehearsal or a drill. */
export interface OneOff {
  id: string;
  /** The container whose data it had. */
  container: string;
  role: Extract<Role, 'rehearsal' | 'drill'>;
  /** Of the rehearsal or the backup. */
  workId: string;
}

/**
 * Stops the container and removes it with its data; already gone is fine. What cannot be removed is listed as left over, and its
 * removal is tried again later. Rejects with `engine_refused` then, and with `engine_unreachable`.
 */
export async function removeOneOff(deps: OneOffDeps, oneOff: OneOff): Promise<void> {
  try {
    await removeWithData(deps.engine, oneOff.id);
    deps.store.keptContainers.remove(oneOff.id);
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    throw leftOver(deps, oneOff, error);
  }
}

/** Does it again when the engine refuses: a container may be busy for a moment. Rejects as the last try does. */
export async function repeatRefused({ clock }: Pick<OneOffDeps, 'clock'>, act: () => Promise<void>): Promise<void> {
  for (const waitMs of AGAIN_AFTER_MS) {
    try {
      return await act();
    } catch (error) {
      if (codeOf(error) === 'engine_unreachable') throw error;
    }
    await clock.sleep(waitMs);
  }
  await act();
}

/** Rejects as the engine does. */
export async function removeWithData(engine: Engine, id: string): Promise<void> {
  try {
    await engine.stop(id, STOPS_WITHIN_SECONDS);
    await engine.remove(id, { volumes: true });
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
}

function leftOver({ store, clock }: OneOffDeps, { id, container, role, workId }: OneOff, cause: unknown): PilotError {
  const name = asideName(container, role, workId);
  const reason = `A container of a ${role} could not be removed: ${messageOf(cause)}`;
  const keepUntil = triedAgainAt({ clock });
  store.keptContainers.add({ containerId: id, container, name, updateId: workId, reason, leftover: true, keepUntil });
  const message = `${reason} Removal is tried again every ten minutes; to do it now: docker rm --force --volumes ${name}`;
  return new PilotError('engine_refused', message, { cause });
}
