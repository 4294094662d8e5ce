import { inspectByName } from '../../containers/read-containers';
import { renameTo } from '../../containers/rename-and-remove';
import { startIfStopped } from '../../containers/start-joining';
import type { Deps } from '../../deps';
import type { Soak } from '../../domain/soak/soak';

/** Longer than Compose takes between two of its calls. */
const STILL_SO_AFTER_MS = 3_000;

/**
 * `docker compose up -d` sees two containers of one service in a soak. Compose 2.26 removes the new one, makes another in place
 * of the old one as `ID_NAME`, and fails to give it the name, since it does both at once (measured): then nothing serves. What
 * it has made is given the name and started. Resolves with what was done, as a sentence; null: Compose left nothing.
 */
export async function finishCompose(deps: Deps, { container: name, updateId }: Soak): Promise<string | null> {
  const left = await leftBy(deps, name);
  if (left === null) return null;
  await deps.clock.sleep(STILL_SO_AFTER_MS);
  if ((await inspectByName(deps.engine, name)) !== null || (await leftBy(deps, name)) !== left) return null;
  await renameTo(deps.engine, left, name);
  await startIfStopped(deps, left);
  deps.logger.warn('a container that Compose left without its name has it, and runs', {
    update: updateId,
    container: name,
  });
  return `docker compose up -d re-created ${name} and did not finish: diun-pilot gave the container ${left.slice(0, 12)} its name and started it. Its soak ended.`;
}

/** Compose's own name for a container that it is about to put in place of another. */
async function leftBy({ engine }: Pick<Deps, 'engine'>, name: string): Promise<string | null> {
  const found = (await engine.containers()).find(
    (listed) => listed.name?.endsWith(`_${name}`) === true && /^[0-9a-f]{12}_/.test(listed.name),
  );
  return found?.id ?? null;
}
