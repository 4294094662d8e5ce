import { type BackupRecord, keyOfPlace, scopeName, takenAt } from '../domain/backups/backup';
import { judgeRetention, type Fate, type Retention } from '../domain/backups/retention';
import type { WorkOutcome } from '../domain/due-work';
import { codeOf, messageOf } from '../domain/errors';
import { DAY_MS, formatTime, plural } from '../domain/format';
import { KEPT_AFTER_FAILED_ROLLBACK_MS } from '../domain/recreate/way-back';
import { isOpen, type Update } from '../domain/update';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { BackupStorage } from '../ports/backup-storage';
import type { Store } from '../ports/store';
import { folderOf, MANIFEST, manifestKey } from './backup-set';
import { repairedSince, restoredSince } from './since-update';

const UNKNOWN_KEPT_MS = 7 * DAY_MS;

export interface PruneDeps {
  store: Pick<Store, 'backups' | 'updates' | 'notices' | 'restores' | 'soaks'>;
  storage: BackupStorage;
  clock: Clock;
  logger: Logger;
  retention: Retention;
  timeZone: string;
  approvalTtlMs: number;
}

/**
 * Removes backups that retention no longer keeps. A backup is first recorded as pruned, so that an incomplete one is never
 * offered; then its manifest is deleted, then its objects, one by one. Only backups that this database knows as good, in
 * the current storage, are judged: other objects are not ours. Backups of a set that shrank suspiciously are kept until
 * the operator had time to check. A failure of the storage is a warning: the rest is removed the next time.
 */
export async function pruneBackups(deps: PruneDeps): Promise<WorkOutcome> {
  const pruned = decide(deps);
  const failures: string[] = [];
  let removed = 0;
  const remove = async (what: string, keys: readonly string[]): Promise<boolean> => {
    const failure = await deleteAll(deps, what, keys);
    if (failure === null) removed += 1;
    else failures.push(failure);
    return failure === null;
  };
  for (const record of removable(deps)) {
    if (await remove(`backup ${record.id} of ${scopeName(record)}`, keysOf(record)))
      deps.store.backups.objectsGone(record.id);
  }
  for (const { folder, keys } of await orphans(deps, failures)) await remove(`the unfinished ${folder}`, keys);
  return pruneOutcome(pruned, removed, failures);
}

function decide(deps: PruneDeps): number {
  const sets = new Map<string, BackupRecord[]>();
  for (const record of deps.store.backups.good().filter((each) => isHere(deps, each))) {
    const place = keyOfPlace(record);
    sets.set(place, [...(sets.get(place) ?? []), record]);
  }
  const shrunk = deps.store.notices.all().filter(({ kind }) => kind === 'backup_shrunk');
  const given = [...sets]
    .filter(([place]) => !shrunk.some(({ subject }) => subject === place))
    .flatMap(([, records]) => decideFates(deps, records).filter(({ kept }) => !kept));
  for (const { id, reasons } of given) {
    deps.store.backups.prune(id, reasons.join('; '));
    deps.logger.info('backup is no longer kept', { backup: id, reason: reasons.join('; ') });
  }
  return given.length;
}

/** `records`: newest first. */
function decideFates(
  { store, clock, logger, retention, timeZone, approvalTtlMs }: PruneDeps,
  records: BackupRecord[],
): Fate[] {
  const now = clock.now();
  const restorable = records.find(({ drill }) => drill?.status === 'passed');
  const candidates = records.map((record) => ({
    id: record.id,
    takenAt: takenAt(record),
    neededFor:
      whyNeeded(store, record, now, approvalTtlMs) ??
      (record === restorable ? 'the newest that has passed a restore drill' : null),
  }));
  const fates = judgeRetention(candidates, retention, timeZone);
  for (const { id, kept, reasons } of fates) if (kept) logger.debug('backup is kept', { backup: id, reasons });
  return fates;
}

/** A pruned backup that is still complete in the storage may be in use by a restore. */
function removable(deps: PruneDeps): BackupRecord[] {
  const mayGo = (record: BackupRecord): boolean => isHere(deps, record) && openRestoreOf(deps.store, record) === null;
  return deps.store.backups.toRemove().filter(mayGo);
}

/** The storage setting may have changed since: objects in the old storage are left there. */
function isHere({ storage }: PruneDeps, record: BackupRecord): boolean {
  const folder = folderOf(record);
  return folder !== null && record.url === storage.urlOf(folder);
}

function keysOf(record: BackupRecord): string[] {
  return [manifestKey(folderOf(record) as string), ...record.items.map(({ key }) => key)];
}

async function deleteAll(
  { storage, logger }: PruneDeps,
  what: string,
  keys: readonly string[],
): Promise<string | null> {
  try {
    for (const key of keys) await storage.delete(key);
    logger.info('removed from the backup storage', { what, objects: keys.length });
    return null;
  } catch (error) {
    logger.warn('could not be removed from the backup storage', { what, reason: messageOf(error) });
    return `${what}: ${messageOf(error)}`;
  }
}

/**
 * Nothing of a backup that the database knows as good, or that is under way, is unfinished. One that it does not know may be under
 * way on another host with the same storage: a large one takes days.
 */
async function orphans(deps: PruneDeps, failures: string[]): Promise<ReturnType<typeof findOrphans>> {
  try {
    const keys = (await deps.storage.list('')).map(({ key }) => key);
    const now = deps.clock.now().getTime();
    return findOrphans(keys, deps.clock.now()).filter(({ recordId, startedAt }) => {
      const known = deps.store.backups.get(recordId);
      return known === null ? now - startedAt > UNKNOWN_KEPT_MS : known.status === 'failed';
    });
  } catch (error) {
    if (codeOf(error) === 'internal_error') throw error;
    deps.logger.warn('the backup storage could not be looked through', { reason: messageOf(error) });
    failures.push(`the list of what is there: ${messageOf(error)}`);
    return [];
  }
}

function pruneOutcome(pruned: number, removed: number, failures: readonly string[]): WorkOutcome {
  const outcome = `Expired: ${pruned}; removed from the storage: ${removed}`;
  if (failures.length === 0) return { outcome: `${outcome}.`, trouble: null };
  return {
    outcome: `${outcome}; could not be removed, and retried after the next backup: ${failures.join('; ')}`,
    trouble: `${plural(failures.length, 'old backup')} could not be removed from the storage; diun-pilot retries after the next backup`,
  };
}

/** `shop/20261123T020000Z-01JD…/03-gitea-files-data.tar.gz`: what `backup-set.ts` writes, and nothing else. */
const ITEM = /^([^/]+\/(\d{8}T\d{6}Z)-([0-7][0-9A-HJKMNP-TV-Z]{25}))\/(\d{2,}-[^/]+|manifest\.json)$/;

export interface Orphan {
  folder: string;
  recordId: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  keys: string[];
}

/**
 * What an interrupted backup left: folders of our own layout without a manifest, started more than a day ago. A folder
 * that holds anything else is not ours and left alone.
 */
export function findOrphans(keys: readonly string[], now: Date): Orphan[] {
  const folders = new Map<string, string[]>();
  for (const key of keys) {
    const folder = key.slice(0, Math.max(key.lastIndexOf('/'), 0));
    folders.set(folder, [...(folders.get(folder) ?? []), key]);
  }
  return [...folders].flatMap(([folder, inside]) => {
    const matches = inside.map((key) => ITEM.exec(key));
    const [, , started = '', recordId = ''] = matches[0] ?? [];
    const ours = matches.every((match) => match !== null);
    if (!ours || inside.includes(`${folder}/${MANIFEST}`)) return [];
    const startedAt = timeOf(started);
    return now.getTime() - startedAt > DAY_MS ? [{ folder, recordId, startedAt, keys: inside }] : [];
  });
}

/** NaN for an invalid time: nothing is older than that. */
function timeOf(compact: string): number {
  return Date.parse(compact.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

/** What an update broke is often seen days later. */
const AFTER_UPDATE_MS = 3 * DAY_MS;

type Known = Pick<Store, 'updates' | 'restores' | 'soaks'>;

/**
 * Why a backup must stay although no rule of retention keeps it, as text; null: it is not needed. `approvalTtlMs`: how
 * long the link of a failed rollback's mail offers to restore it.
 */
function whyNeeded(known: Known, record: BackupRecord, now: Date, approvalTtlMs: number): string | null {
  const restore = openRestoreOf(known, record);
  if (restore !== null) return restore;
  const reasons = known.updates
    .thatNeed(record)
    .map((update) => neededByUpdate(known, update, { record, now, approvalTtlMs }));
  return reasons.find((reason) => reason !== null) ?? null;
}

/** For a requested restore that has not ended; null: there is none. */
function openRestoreOf({ restores }: Pick<Store, 'restores'>, { id }: BackupRecord): string | null {
  const asked = restores.open().find(({ backupId }) => backupId === id);
  if (asked === undefined) return null;
  return `its restore, requested at ${formatTime(asked.createdAt)}, has not ended`;
}

function neededByUpdate(
  known: Known,
  update: Update,
  { record, now, approvalTtlMs }: { record: BackupRecord; now: Date; approvalTtlMs: number },
): string | null {
  const name = update.container ?? 'a container';
  if (isOpen(update.status)) return `the update of ${name} that it was taken for or that uses it has not ended`;
  if ((known.soaks.of(update.id)?.status ?? 'ended') !== 'ended') return `the soak of ${name} is not over`;
  const since = now.getTime() - Date.parse(update.finishedAt ?? update.createdAt);
  if (update.status === 'rollback_failed') {
    if (since < KEPT_AFTER_FAILED_ROLLBACK_MS)
      return `the rollback of ${name} that may need it failed less than 30 days ago`;
    const isDone = restoredSince(known, update, record) !== null || repairedSince(known, update) !== null;
    if (since < approvalTtlMs && !isDone)
      return `the link to restore it after the failed rollback of ${name} is still open`;
  }
  return since < AFTER_UPDATE_MS
    ? `the update of ${name} that it was taken for or that uses it ended less than 3 days ago`
    : null;
}
