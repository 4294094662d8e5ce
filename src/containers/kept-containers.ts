import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { KeptContainer } from '../ports/stopped-containers';
import type { Store } from '../ports/store';
import { keepStopped, type PolicyDeps } from './restart-policy';

/** What kept an engine from removing a container often passes in seconds, and `docker compose up -d` may act on it meanwhile. */
const TRY_AGAIN_MS = 600_000;

export interface KeptDeps extends PolicyDeps {
  store: Pick<Store, 'disarmed' | 'keptContainers'>;
  clock: Clock;
  logger: Logger;
}

/**
 * Keeps a container after the end of its update: stopped, with restart policy `no`, listed on the page and by `check`, and
 * removed by the worker once `keepUntil` has come. Recorded first, so that a crash in between leaves nothing hidden.
 */
export async function keepAside(deps: KeptDeps, kept: KeptContainer): Promise<void> {
  deps.store.keptContainers.add(kept);
  await keepStopped(deps, kept.containerId);
}

/** One that should have been removed: an error, and it is tried again every ten minutes and at the next start. */
export async function keepLeftover(
  deps: KeptDeps,
  found: Omit<KeptContainer, 'leftover' | 'keepUntil'>,
): Promise<void> {
  await keepAside(deps, { ...found, leftover: true, keepUntil: triedAgainAt(deps) });
}

/** ISO 8601. */
export function triedAgainAt({ clock }: Pick<KeptDeps, 'clock'>): string {
  return new Date(clock.now().getTime() + TRY_AGAIN_MS).toISOString();
}
