import { asideName, asideParts } from '../containers/artifact-names';
import { inspectByName } from '../containers/read-containers';
import { adoptHolder, keepLeftover } from '../containers/kept-containers';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import type { KeptContainer } from '../ports/stopped-containers';
import type { ActiveUpdate } from './run';

/**
 * What this update created or renamed and that still exists at its end, though it should be gone: stopped, listed, and
 * removed by a later try. Resolves with a sentence for each. Rejects only with `engine_unreachable`.
 */
export async function recordLeftovers(run: ActiveUpdate): Promise<string[]> {
  const { engine, journal, store } = run;
  const bearer = await inspectByName(engine, journal.containerName);
  if (bearer === null) return [];
  const sentences: string[] = [];
  for (const left of await stillThere(run)) {
    if (left.id === bearer.Id || store.keptContainers.find(left.id)?.leftover === false) continue;
    if (asideParts(left.name)?.role === 'kept') await adoptHolder(run, entryOf(run, left));
    else sentences.push(await recordLeftover(run, left));
  }
  return sentences;
}

interface Left {
  id: string;
  name: string;
}

async function recordLeftover(run: ActiveUpdate, left: Left): Promise<string> {
  const stopped = await keepLeftover(run, entryOf(run, left)).then(
    () => 'is stopped',
    (error: unknown) => {
      rethrowEngineLost(error);
      return `could not be stopped (${messageOf(error)})`;
    },
  );
  const { cleanUpFailure } = run.journal;
  const why = cleanUpFailure === undefined ? '' : ` (${cleanUpFailure})`;
  return `The container ${left.name} was not removed${why}; it ${stopped}, and its removal is tried again every 10 minutes and at the next start of diun-pilot. Before that, docker compose up -d may remove the wrong one of the two: run docker rm -f ${left.name} first.`;
}

function entryOf({ update, journal }: ActiveUpdate, { id, name }: Left): Omit<KeptContainer, 'leftover' | 'keepUntil'> {
  const trouble = journal.cleanUpFailure === undefined ? '' : ` ${journal.cleanUpFailure}`;
  const reason = `It is left over from update ${update.id}.${trouble}`;
  return { containerId: id, name, container: journal.containerName, updateId: update.id, reason };
}

/** By the names that this update gave; one that another process renamed since is no longer diun-pilot's. */
async function stillThere({ engine, journal, update }: ActiveUpdate): Promise<Left[]> {
  const names = (['old', 'new', 'check', 'kept'] as const).map((role) =>
    asideName(journal.containerName, role, update.id),
  );
  // From the list: a container that could not be removed may be one that the engine cannot describe.
  const found = (await engine.containers()).filter(({ name }) => name !== null && names.includes(name));
  return found.map(({ id, name }) => ({ id, name: name as string }));
}
