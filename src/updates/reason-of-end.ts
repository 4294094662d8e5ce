import type { Failure } from '../domain/errors';
import type { Journal } from '../domain/journal';
import type { RestoreJournal } from '../domain/restore';
import type { Verdict } from '../domain/update';

/** The verdict as sentences for a person: of page, mail, log and API alike. Pure. */
export function reasonOfEnd(journal: Journal, verdict: Verdict, error: Failure | null): string {
  if (error?.code === 'changed_meanwhile') return changedReason(journal, verdict, error);
  const name = journal.containerName;
  switch (verdict) {
    case 'succeeded':
      return `${name} runs ${journal.newReference} and is healthy.`;
    case 'failed':
      if (error?.code === 'container_not_running') return `Nothing was changed: ${name} does not run, as before.`;
      return `Nothing was changed: ${name} still runs ${journal.oldReference} as before.${whoWasStopped(journal.stopped)}`;
    case 'rolled_back':
      if (journal.restore !== null) return restoredReason(name, journal.restore);
      return journal.oldStopped
        ? `${name} was rolled back: the old container serves again and is healthy.`
        : `${name} was rolled back: the old container was never stopped, and is healthy.`;
    case 'rollback_failed':
      if (error?.code === 'unhealthy_as_before')
        return `${name} was rolled back: the old container is started again, and fails its health check as before the update. It needs a person.`;
      if (journal.stage === 'preparing')
        return `Nothing was changed, but not all that was stopped for the backup serves again: it needs a person now.`;
      return `${name} was rolled back, but the old container is not healthy either: it needs a person now.`;
  }
}

function changedReason({ stopped }: Journal, verdict: Verdict, { message }: Failure): string {
  const sentence = message.split('\n')[0] ?? message;
  return verdict === 'failed'
    ? `Nothing was changed by diun-pilot. ${sentence}${whoWasStopped(stopped)}`
    : `${sentence} The update could neither be ended nor undone: look at it.`;
}

function whoWasStopped(stopped: Journal['stopped']): string {
  if (stopped.length === 0) return '';
  const names = stopped.map(({ name }) => name).join(', ');
  return ` Stopped for the backup and started again: ${names}.`;
}

function restoredReason(name: string, { manifest, kept }: RestoreJournal): string {
  const aside = kept.length === 0 ? '' : ` Kept aside: ${kept.map(({ what }) => what).join('; ')}.`;
  return `${name} was rolled back. The new version had changed the data, so the data of ${manifest?.createdAt ?? 'the backup'} was restored; the old container serves again and is healthy.${aside}`;
}
