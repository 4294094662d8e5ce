import { codeOf, messageOf } from '../domain/errors';
import type { Logger } from '../lib/logger';
import { isOurs } from './artifact-names';
import { inspectIfThere } from './if-there';
import { rearm, type PolicyDeps } from './restart-policy';

/**
 * Restores the restart policy of every disarmed container that is running by now, however it was started; forgets removed
 * ones. A stopped one stays disarmed. Only while no update and no restore is running. False: nothing more to do.
 */
export async function rearmRunning(deps: PolicyDeps & { logger: Logger }): Promise<boolean> {
  for (const { containerId: id, name, policy } of deps.store.disarmed.all()) {
    await rearmOne(deps, id, { name, policy: policy.Name });
  }
  return false;
}

/** One that the engine cannot describe, or whose policy it refuses, keeps its record and no other container waiting. */
async function rearmOne(
  deps: PolicyDeps & { logger: Logger },
  id: string,
  fields: Record<string, unknown>,
): Promise<void> {
  try {
    const found = await inspectIfThere(deps.engine, id);
    if (found === null) return deps.store.disarmed.remove(id);
    if (!found.State.Running || isOurs(found.Name.slice(1))) return;
    await rearm(deps, id);
    deps.logger.info('the restart policy of a container is back', fields);
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    deps.logger.debug('the restart policy of a container could not be put back', {
      ...fields,
      reason: messageOf(error),
    });
  }
}
