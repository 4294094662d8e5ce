import { soakUrl } from '../../decisions/soak-link';
import { pageUrl } from '../../decisions/approval-links';
import type { Deps } from '../../deps';
import { formatTime } from '../../domain/format';
import type { Soak } from '../../domain/soak/soak';
import { soakFailed } from '../../notifications/mails/soak-failed';
import { postMail } from '../../notifications/post-mail';
import { schemaSinceUpdate } from './schema-since-update';

/** The operator decides by a signed link, until which the old container is kept. State and mail are one transaction. */
export async function offerOldVersion(
  deps: Deps,
  soak: Soak,
  { message, at }: { message: string; at: string },
): Promise<void> {
  const { store, clock, timeZone } = deps;
  const { schema, detail } = await schemaSinceUpdate(deps, soak);
  const sentence = message.split('\n')[0] ?? message;
  const decideUntil = new Date(clock.now().getTime() + deps.approvalTtlMs).toISOString();
  store.transaction(() => {
    const update = store.updates.get(soak.updateId);
    if (update === null) return;
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
    const reason = `${sentence} The link in the mail decides whether the old version runs again, until ${formatTime(decideUntil, timeZone)}.`;
    if (kept !== null && kept.keepUntil < decideUntil)
      store.keptContainers.add({ ...kept, reason, keepUntil: decideUntil });
    const noted = update.reason.includes(sentence)
      ? update
      : store.updates.change(update.id, { reason: `${update.reason} ${reason}` });
    const backup = noted.backupId === null ? null : store.backups.get(noted.backupId);
    const links = { decideUrl: soakUrl(deps, failed), page: pageUrl(deps, noted) };
    postMail(store.outbox, soakFailed({ update: noted, plan: null, backup, soak: failed, ...links, now: clock.now() }));
  });
}
