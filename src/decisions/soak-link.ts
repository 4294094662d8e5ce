import type { BackupRecord } from '../domain/backups/backup';
import { refuseWhileObserving, type Mode } from '../domain/mode';
import { offeredData, type Soak, type SoakData } from '../domain/soak/soak';
import type { Update } from '../domain/update';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { Secret } from '../lib/secret';
import type { Store } from '../ports/store';
import { isSignedToken, signToken, type TokenParts, updateIdIn } from './approval-links';

const PURPOSE = 'diun-pilot soak 1';

interface Signing {
  /** The first signs. */
  approvalSecrets: readonly Secret[];
}

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
  return `${publicUrl}/approvals/${signToken(approvalSecrets, PURPOSE, partsOf(soak))}`;
}

/** Reads only. Null: the token is none of this purpose. */
export function readSoakLink(deps: Signing & { store: Store; clock: Clock }, token: string): SoakView | null {
  const { updates, soaks, backups } = deps.store;
  const id = updateIdIn(token) ?? '';
  const [update, soak] = [updates.get(id), soaks.of(id)];
  if (update === null || soak === null || soak.decideUntil === null) return null;
  if (!isSignedToken(deps.approvalSecrets, PURPOSE, token, partsOf(soak))) return null;
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
    if (choice === 'backup' && answer.name?.trim() !== view.update.container)
      return { ...view, outcome: 'name_needed' };
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

function partsOf({ updateId, failedAt, decideUntil }: Soak): TokenParts {
  return [updateId, failedAt, decideUntil];
}
