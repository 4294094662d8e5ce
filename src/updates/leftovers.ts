import { asideName } from '../containers/aside-names';
import { inspectByName } from '../containers/if-there';
import { keepLeftover } from '../containers/kept-containers';
import { codeOf, messageOf } from '../domain/errors';
import type { Begun } from './run';

/**
 * What this update created or renamed and that still exists at its end, though it should be gone: stopped, listed, and
 * removed by the next start. Resolves with a sentence for each. Rejects only with `engine_unreachable`.
 */
export async function recordLeftovers(run: Begun): Promise<string[]> {
  const { engine, journal, store, update } = run;
  const bearer = await inspectByName(engine, journal.containerName);
  if (bearer === null) return [];
  const sentences: string[] = [];
  for (const { id: containerId, name } of await stillThere(run)) {
    if (containerId === bearer.Id || store.keptContainers.find(containerId)?.leftover === false) continue;
    const reason = `It is left over from update ${update.id}.`;
    const found = { containerId, name, container: journal.containerName, updateId: update.id, reason };
    const stopped = await keepLeftover(run, found).then(
      () => 'is stopped',
      (error: unknown) => {
        if (codeOf(error) === 'engine_unreachable') throw error;
        return `could not be stopped (${messageOf(error)})`;
      },
    );
    sentences.push(
      `The container ${name} was not removed; it ${stopped}, and the next start of diun-pilot removes it.`,
    );
  }
  return sentences;
}

/** By the names that this update gave; one that another process renamed since is no longer diun-pilot's. */
async function stillThere({ engine, journal, update }: Begun): Promise<{ id: string; name: string }[]> {
  const names = (['old', 'new', 'check'] as const).map((role) => asideName(journal.containerName, role, update.id));
  // From the list: a container that could not be removed may be one that the engine cannot describe.
  const found = (await engine.containers()).filter(({ name }) => name !== null && names.includes(name));
  return found.map(({ id, name }) => ({ id, name: name as string }));
}
