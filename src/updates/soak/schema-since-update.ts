import type { Deps } from '../../deps';
import { changesOf, unknownChange } from '../../domain/data/compare-fingerprints';
import { changeWithoutOthers, type OtherUpdate } from '../../domain/data/changes-of-others';
import type { SchemaSeen, Soak } from '../../domain/soak/soak';
import { readFingerprint } from '../fingerprint/read-fingerprint';

/** What became of the databases since before the update, with a sentence about it. Rejects only with `engine_unreachable`. */
export async function schemaSinceUpdate(
  { engine, store }: Pick<Deps, 'engine' | 'store'>,
  { updateId, oldContainerId, containerId, holdsData }: Soak,
): Promise<{ schema: SchemaSeen; detail: string }> {
  if (!holdsData) return { schema: 'unchanged', detail: 'It holds no data.' };
  const update = store.updates.get(updateId);
  const before = store.updates.journal(updateId)?.fingerprint;
  if (before === undefined || update === null)
    return {
      schema: 'unknown',
      detail: 'It uses no database whose schema could be compared with that from before the update.',
    };
  const servers = before.servers.map((server) =>
    server.id === oldContainerId ? { ...server, id: containerId } : server,
  );
  const others = store.updates.othersThatChanged(update, before);
  const change = changeWithoutOthers(before, await readFingerprint(engine, servers, () => undefined), others);
  const lost = lostWithTheBackup(others);
  if (change.changes.length > 0)
    return { schema: 'changed', detail: `The new version changed the schema: ${changesOf(change)}.${lost}` };
  const unknown = unknownChange(change);
  return unknown === null
    ? { schema: 'unchanged', detail: 'The schema of its databases is the same as before the update.' }
    : { schema: 'unknown', detail: `${unknown}${lost}` };
}

function lostWithTheBackup(others: readonly OtherUpdate[]): string {
  if (others.length === 0) return '';
  const names = [...new Set(others.map(({ container }) => container))].join(', ');
  return ` Updated since, with changes to the databases of the set: ${names}. A restore of the backup from before this update takes those changes back, too.`;
}
