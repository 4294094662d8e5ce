import { rehearsalMark } from '../containers/artifact-names';
import { inspectIfThere } from '../containers/if-there';
import type { Deps } from '../deps';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import { REHEARSAL_LABEL } from '../domain/rehearsal/trial-request';
import type { Engine } from '../ports/engine';

/** Another diun-pilot of the same engine may rehearse at this moment; none does so for this long. */
const FOREIGN_AFTER_MS = 6 * 3_600_000;

/** Everything that one rehearsal has created: its containers by name and label, their data with them. Nothing is fine. */
export function removeRehearsal(engine: Engine, rehearsalId: string): Promise<void> {
  return removeWhere(engine, ({ label }) => label === rehearsalId);
}

/** What a process that died has left over, at the start of the next one; also where its database is lost. */
export async function removeLeftRehearsals({
  engine,
  store,
  clock,
}: Pick<Deps, 'engine' | 'store' | 'clock'>): Promise<void> {
  const now = clock.now().getTime();
  await removeWhere(
    engine,
    ({ label, createdAt }) => store.rehearsals.get(label) !== null || now - createdAt > FOREIGN_AFTER_MS,
  );
}

interface Found {
  label: string;
  /** Milliseconds since 1970. */
  createdAt: number;
}

async function removeWhere(engine: Engine, isMeant: (found: Found) => boolean): Promise<void> {
  for (const { id, name } of await engine.containers()) {
    if (name === null || rehearsalMark(name) === null) continue;
    const found = await inspectIfThere(engine, id);
    const label = found?.Config.Labels?.[REHEARSAL_LABEL];
    if (!found || label === undefined || !isMeant({ label, createdAt: Date.parse(found.Created) })) continue;
    await remove(engine, id, name);
  }
}

async function remove(engine: Engine, id: string, name: string): Promise<void> {
  try {
    await engine.stop(id, 0);
    await engine.remove(id, { volumes: true });
  } catch (error) {
    if (codeOf(error) === 'container_not_found') return;
    if (codeOf(error) === 'engine_unreachable') throw error;
    const message = `A container of the rehearsal could not be removed: ${messageOf(error)} Remove it by hand: docker rm --force --volumes ${name}`;
    throw new PilotError('engine_refused', message, { cause: error });
  }
}
