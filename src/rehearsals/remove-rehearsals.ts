import { containerOfOneOff, rehearsalMark } from '../containers/artifact-names';
import { inspectIfThere } from '../containers/read-containers';
import { removeOneOff, repeatRefused, type OneOffDeps } from '../containers/kept-containers';
import type { Deps } from '../deps';
import { REHEARSAL_LABEL } from '../domain/rehearsal/trial-request';

/** Another diun-pilot of the same engine may rehearse at this moment; none does so for this long. */
const FOREIGN_AFTER_MS = 6 * 3_600_000;

/**
 * Everything that one rehearsal has created: its containers by name and label, their data with them. Nothing is fine. Rejects
 * as `removeOneOff` does.
 */
export function removeRehearsal(deps: OneOffDeps, rehearsalId: string): Promise<void> {
  return repeatRefused(deps, () => removeWhere(deps, ({ label }) => label === rehearsalId));
}

/** What a process that died has left over, at the start of the next one; also where its database is lost. */
export async function removeLeftRehearsals(deps: Pick<Deps, 'engine' | 'store' | 'clock'>): Promise<void> {
  const { store, clock } = deps;
  const now = clock.now().getTime();
  await removeWhere(
    deps,
    ({ label, createdAt }) => store.rehearsals.get(label) !== null || now - createdAt > FOREIGN_AFTER_MS,
  );
}

interface Found {
  label: string;
  /** Milliseconds since 1970. */
  createdAt: number;
}

async function removeWhere(deps: OneOffDeps, isMeant: (found: Found) => boolean): Promise<void> {
  const { engine } = deps;
  for (const { id, name } of await engine.containers()) {
    if (name === null || rehearsalMark(name) === null) continue;
    const found = await inspectIfThere(engine, id);
    const label = found?.Config.Labels?.[REHEARSAL_LABEL];
    if (!found || label === undefined || !isMeant({ label, createdAt: Date.parse(found.Created) })) continue;
    const container = containerOfOneOff(name);
    await removeOneOff(deps, { id, container, role: 'rehearsal', workId: label });
  }
}
