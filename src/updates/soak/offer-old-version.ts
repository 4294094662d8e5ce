import { pageUrl } from '../../decisions/approval-links';
import { A_DAY_MS, isYoungOffer } from '../../decisions/expire-and-remind';
import { offerOf, soakUrl } from '../../decisions/recovery-links';
import type { Deps } from '../../deps';
import { changeWithoutOthers, type OtherUpdate } from '../../domain/data/changes-of-others';
import { changesOf, hasChanged, unknownChange } from '../../domain/data/compare-fingerprints';
import { firstLineOf } from '../../domain/errors';
import { formatTime } from '../../domain/format';
import type { SchemaSeen, Soak } from '../../domain/soak/soak';
import type { Update } from '../../domain/update';
import { soakFailed, type SoakNews } from '../../notifications/mails/soak';
import { postMail } from '../../notifications/post-mail';
import { readFingerprint } from '../fingerprint/read-fingerprint';

const NO_OFFER = 'The old version cannot run again: the mail says why.';

/** The operator decides by a signed link, until which the old container is kept. State and mail are one transaction. */
export async function offerOldVersion(
  deps: Deps,
  soak: Soak,
  { message, at }: { message: string; at: string },
): Promise<void> {
  const { store, clock, timeZone } = deps;
  const { schema, detail } = await schemaSinceUpdate(deps, soak);
  const sentence = firstLineOf(message);
  const decideUntil = new Date(clock.now().getTime() + deps.approvalTtlMs).toISOString();
  store.transaction(() => {
    const update = store.updates.get(soak.updateId);
    if (update === null) return;
    // The schema has changed since the first offer: the reason says the failure already.
    const isRepeated = soak.failure !== null;
    const failed = store.soaks.change(soak.updateId, {
      ...{
        status: 'deciding',
        failure: message,
        failedAt: at,
        schema,
        schemaDetail: detail,
        decideUntil,
        choice: null,
      },
    });
    const kept = store.keptContainers.find(soak.oldContainerId);
    const { offered } = newsOf(deps, update, failed);
    const reason = `${sentence} ${offered.length === 0 ? NO_OFFER : `The link in the mail decides whether the old version runs again, until ${formatTime(decideUntil, timeZone)}.`}`;
    if (kept !== null && kept.keepUntil < decideUntil)
      store.keptContainers.add({ ...kept, reason, keepUntil: decideUntil });
    const noted = isRepeated ? update : store.updates.change(update.id, { reason: `${update.reason} ${reason}` });
    postMail(store.outbox, soakFailed(newsOf(deps, noted, failed)));
  });
}

/**
 * A day before the link expires its reader is reminded once, as of any approval: the outbox says whether that was done. Not where
 * there is nothing to decide.
 */
export function remindOfSoaks(deps: Deps): void {
  const { store, clock, approvalTtlMs } = deps;
  const now = clock.now().getTime();
  for (const soak of store.soaks.open()) {
    if (soak.status !== 'deciding' || soak.decideUntil === null) continue;
    const expires = Date.parse(soak.decideUntil);
    if (expires - A_DAY_MS >= now || expires <= now) continue;
    if (isYoungOffer(deps, new Date(expires - approvalTtlMs).toISOString())) continue;
    const since = new Date(expires - A_DAY_MS).toISOString();
    store.transaction(() => {
      const reminders = store.outbox.about(soak.container, ['approval_reminder'], since);
      const update = store.updates.get(soak.updateId);
      if (update === null || reminders.some(({ updateId }) => updateId === soak.updateId)) return;
      const news = newsOf(deps, update, soak);
      if (news.offered.length > 0) postMail(store.outbox, soakFailed(news, 'reminder'));
    });
  }
}

function newsOf(deps: Deps, update: Update, soak: Soak): SoakNews {
  const backup = update.backupId === null ? null : deps.store.backups.get(update.backupId);
  const links = { decideUrl: soakUrl(deps, soak), page: pageUrl(deps, update) };
  return { update, backup, soak, ...offerOf(deps.store, soak, backup), ...links, now: deps.clock.now() };
}

/** What became of the databases since before the update, with a sentence about it. Rejects only with `engine_unreachable`. */
export async function schemaSinceUpdate(
  deps: Pick<Deps, 'engine' | 'clock' | 'logger' | 'store'>,
  { updateId, oldContainerId, containerId, holdsData }: Soak,
): Promise<{ schema: SchemaSeen; detail: string }> {
  const { store } = deps;
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
  const change = changeWithoutOthers(before, await readFingerprint(deps, servers, () => undefined), others);
  const lost = lostWithTheBackup(others);
  if (hasChanged(change))
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
