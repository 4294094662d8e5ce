import { readManifest } from '../backups/manifest';
import { repairedSince, restoredSince } from '../backups/since-update';
import type { Deps } from '../deps';
import { isNameOf } from '../domain/approval';
import type { BackupRecord } from '../domain/backups/backup';
import { leftBy, type LeftBy, type RestoreRecord } from '../domain/backups/restore';
import { codeOf, messageOf } from '../domain/errors';
import { hasReplaced } from '../domain/journal';
import { refuseWhileObserving, type Mode } from '../domain/mode';
import { offeredData, type Soak, type SoakData } from '../domain/soak/soak';
import { restoreIn, type PastUpdate, type Update } from '../domain/update';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { Secret } from '../lib/secret';
import type { Store } from '../ports/store';
import { folderToRestore } from '../restores/find-set';
import { isSignedToken, signToken, updateIdIn, type TokenParts } from './approval-links';

const RESTORE_PURPOSE = 'diun-pilot restore 1';

interface Signing {
  /** The first signs. */
  approvalSecrets: readonly Secret[];
}

/** How long a link is valid after the end of its update; no part of the link, so that the setting may change. */
interface Validity {
  approvalTtlMs: number;
}

/** What the holder of a link to restore may see: the failed update, its backup, and what came of the link. */
export interface RestoreView {
  update: Update;
  backup: BackupRecord;
  expiresAt: string;
  /** `used`: data was restored since, by the link or by the command. `superseded`: a later update repaired the container. */
  state: 'open' | 'expired' | 'used' | 'superseded';
  /** The newest restore since; null: there is none. */
  restore: RestoreRecord | null;
  /** What that restore has left, if it failed. */
  left: LeftBy;
  /** The later update that repaired the container; null: there is none. */
  repair: PastUpdate | null;
}

/** Whether the set in the storage is authenticated, for the person who types the name of the container. */
export interface SetTrust {
  /** Why it is not; null: it is. */
  distrust: string | null;
  /** SHA-256 of the manifest that was read; null: none was. */
  sha256: string | null;
}

export type RestoreDecision = RestoreView & {
  outcome: 'queued' | 'declined' | 'name_needed' | 'distrusted' | 'closed';
};

/** The link of the mail of a failed rollback; null where there is nothing to restore from, or no new version has touched the data. */
export function restoreUrl(
  links: Signing & { publicUrl: string },
  update: Update,
  backup: BackupRecord | null,
  replaced: boolean,
): string | null {
  const parts = replaced ? restoreParts(update, backup) : null;
  return parts === null
    ? null
    : `${links.publicUrl}/approvals/${signToken(links.approvalSecrets, RESTORE_PURPOSE, parts)}`;
}

/** Reads only. Null: the token is none of this purpose. */
export function readRestoreLink(
  deps: Signing & Validity & { store: Store; clock: Clock },
  token: string,
): RestoreView | null {
  const { updates, backups, restores } = deps.store;
  const update = updates.get(updateIdIn(token) ?? '');
  const backup = update?.backupId ? backups.get(update.backupId) : null;
  const replaced = update !== null && hasReplaced(update, updates.journal(update.id)?.stage ?? null);
  const parts = replaced ? restoreParts(update, backup) : null;
  if (update === null || backup === null || parts === null) return null;
  if (!isSignedToken(deps.approvalSecrets, RESTORE_PURPOSE, token, parts)) return null;
  const [restore, repair] = [restoredSince(deps.store, update, backup), repairedSince(deps.store, update)];
  const expiresAt = new Date(Date.parse(parts[2]) + deps.approvalTtlMs).toISOString();
  const expired = expiresAt <= deps.clock.now().toISOString();
  const left = leftBy(restore === null ? null : restores.journal(restore.id));
  const ended = repair !== null ? 'superseded' : expired ? 'expired' : 'open';
  return { update, backup, expiresAt, restore, left, repair, state: restore !== null ? 'used' : ended };
}

/** A storage that does not answer does not block the decision: the restore reads it again. */
export async function trustOfSet(
  deps: Pick<Deps, 'storage' | 'approvalSecrets'>,
  { backup }: Pick<RestoreView, 'backup'>,
): Promise<SetTrust> {
  try {
    const { distrust, sha256 } = await readManifest(deps.storage, folderToRestore(backup), deps.approvalSecrets);
    return { distrust, sha256 };
  } catch (error) {
    if (codeOf(error) === 'internal_error') throw error;
    return { distrust: `its manifest could not be read now: ${messageOf(error).replace(/\.$/, '')}`, sha256: null };
  }
}

/** The button: queues the restore, once. The name of the container must be typed, since data is put over data. */
export function decideRestoreLink(
  deps: Signing & Validity & { store: Store; clock: Clock; logger: Logger; mode: Mode },
  token: string,
  answer: {
    decision: 'approve' | 'decline';
    name: string | null;
    trust: SetTrust;
    /** SHA-256 of the manifest that the page said is not authenticated; null: the page said nothing of that kind. */
    seenManifest: string | null;
  },
): RestoreDecision | null {
  return deps.store.transaction(() => {
    const view = readRestoreLink(deps, token);
    if (view === null) return null;
    if (view.state !== 'open') return { ...view, outcome: 'closed' };
    if (answer.decision === 'decline') return { ...view, outcome: 'declined' };
    refuseWhileObserving(deps.mode, 'No restore was queued.');
    if (!isNameOf(view.update, answer.name)) return { ...view, outcome: 'name_needed' };
    const { distrust, sha256 } = answer.trust;
    if (distrust !== null && sha256 !== null && sha256 !== answer.seenManifest) {
      return { ...view, outcome: 'distrusted' };
    }
    const { update, backup } = view;
    const set = { backupId: backup.id, folder: folderToRestore(backup), url: backup.url ?? '', target: null };
    const trustedManifest = distrust === null ? null : sha256;
    const restore = deps.store.restores.insert({ ...set, updateId: update.id, trustedManifest });
    deps.logger.info('restore requested with the link of the mail', { update: update.id, restore: restore.id });
    return { ...view, restore, state: 'used', outcome: 'queued' };
  });
}

/** The ids of both, and when the update ended. */
function restoreParts(update: Update, backup: BackupRecord | null): [string, string, string] | null {
  if (update.status !== 'rollback_failed' || update.finishedAt === null || update.kind === 'service') return null;
  // It was restored already, and what is left is in no backup.
  if (update.error?.code === 'data_changed' && restoreIn(update) !== undefined) return null;
  // One that was used again is older, and of a container that cannot have changed the data.
  if (backup?.status !== 'succeeded' || backup.items.length === 0 || backup.updateId !== update.id) return null;
  return [update.id, backup.id, update.finishedAt];
}

const SOAK_PURPOSE = 'diun-pilot soak 1';

/** What the holder of a link sees after a container failed during its soak. */
export interface SoakView {
  update: Update;
  soak: Soak;
  backup: BackupRecord | null;
  expiresAt: string;
  /** The data on which the old version can run, the recommended one first. */
  offered: SoakData[];
  /** The old container was removed externally: it cannot run again. */
  oldIsGone: boolean;
  /** `closed`: it was decided, or there is nothing left to decide. */
  state: 'open' | 'expired' | 'closed';
}

export type SoakDecision = SoakView & { outcome: 'chosen' | 'declined' | 'name_needed' | 'not_offered' | 'closed' };

/** The link of the mail about a failure in the soak. */
export function soakUrl({ publicUrl, approvalSecrets }: Signing & { publicUrl: string }, soak: Soak): string {
  return `${publicUrl}/approvals/${signToken(approvalSecrets, SOAK_PURPOSE, soakParts(soak))}`;
}

/** Reads only. Null: the token is none of this purpose. */
export function readSoakLink(deps: Signing & { store: Store; clock: Clock }, token: string): SoakView | null {
  const { updates, soaks, backups } = deps.store;
  const id = updateIdIn(token) ?? '';
  const [update, soak] = [updates.get(id), soaks.of(id)];
  if (update === null || soak === null || soak.decideUntil === null) return null;
  if (!isSignedToken(deps.approvalSecrets, SOAK_PURPOSE, token, soakParts(soak))) return null;
  const backup = update.backupId === null ? null : backups.get(update.backupId);
  const isOver = soak.decideUntil <= deps.clock.now().toISOString();
  const state = soak.status !== 'deciding' ? 'closed' : isOver ? 'expired' : 'open';
  return { update, soak, backup, expiresAt: soak.decideUntil, ...offerOf(deps.store, soak, backup), state };
}

/** What mail and page offer: nothing without the old container, which is listed for as long as it is there. */
export function offerOf(
  { keptContainers, updates }: Pick<Store, 'keptContainers' | 'updates'>,
  soak: Soak,
  backup: BackupRecord | null,
): Pick<SoakView, 'offered' | 'oldIsGone'> {
  const oldIsGone = keptContainers.find(soak.oldContainerId) === null;
  const journal = updates.journal(soak.updateId);
  // Only of a container that can change the set are its databases compared.
  const changesSet = journal?.soak?.changesSet ?? journal?.fingerprint !== undefined;
  const update = updates.get(soak.updateId);
  const others =
    update === null || journal?.fingerprint === undefined ? [] : updates.othersThatChanged(update, journal.fingerprint);
  const set = { changesSet, changedByOthers: others.length > 0 };
  return { offered: oldIsGone ? [] : offeredData(soak, backup, set), oldIsGone };
}

/**
 * The button: the worker rolls the update back, once. The name of the container must be typed where data is put over data. Data
 * that is no longer offered is never replaced by other data. Null: the token is none of this purpose.
 */
export function decideSoakLink(
  deps: Signing & { store: Store; clock: Clock; logger: Logger; mode: Mode },
  token: string,
  answer: { decision: 'approve' | 'decline'; data: string | null; name: string | null },
): SoakDecision | null {
  return deps.store.transaction(() => {
    const view = readSoakLink(deps, token);
    if (view === null) return null;
    if (view.state !== 'open') return { ...view, outcome: 'closed' };
    if (answer.decision === 'decline') return { ...view, outcome: 'declined' };
    refuseWhileObserving(deps.mode, 'Nothing was rolled back.');
    const choice = answer.data === null ? view.offered[0] : view.offered.find((data) => data === answer.data);
    if (choice === undefined) return { ...view, outcome: 'not_offered' };
    if (choice === 'backup' && !isNameOf(view.update, answer.name)) return { ...view, outcome: 'name_needed' };
    const soak = deps.store.soaks.change(view.update.id, { status: 'chosen', choice });
    deps.store.audit.append({
      kind: 'decision',
      actor: 'link',
      subject: view.update.id,
      detail: { decision: 'old version', data: choice, container: view.update.container },
    });
    deps.logger.info('the old version was chosen by the link of the mail', { update: view.update.id, data: choice });
    return { ...view, soak, state: 'closed', outcome: 'chosen' };
  });
}

function soakParts({ updateId, failedAt, decideUntil }: Soak): TokenParts {
  return [updateId, failedAt, decideUntil];
}
