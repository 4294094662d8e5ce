import { leftBy, type RestoreJournal } from '../domain/backups/restore';
import { changeSentences, changesOf, hasChanged } from '../domain/data/compare-fingerprints';
import { type Failure, firstLineOf } from '../domain/errors';
import { capitalised, formatTime } from '../domain/format';
import { hasReplaced, type Journal, newDataOf, newDataSentence, ownStopOf } from '../domain/journal';
import type { Update, Verdict } from '../domain/update';
import type { Seen } from '../notifications/mails/failure-text';
import type { Store } from '../ports/store';

/** The verdict as sentences for a person: of page, mail, log and API alike. Pure. */
export function reasonOfEnd(journal: Journal, verdict: Verdict, error: Failure | null): string {
  const newData = verdict === 'succeeded' ? null : newDataOf(journal);
  const restored = verdict === 'rollback_failed' ? restoredAllTheSame(journal) : '';
  const reason = `${reasonFor(journal, verdict, error)}${restored}`;
  return newData === null ? reason : `${reason} ${newDataSentence(newData)}`;
}

function reasonFor(journal: Journal, verdict: Verdict, error: Failure | null): string {
  if (error?.code === 'changed_meanwhile') return changedReason(journal, verdict, error);
  const name = journal.containerName;
  switch (verdict) {
    case 'succeeded':
      return `${name} runs ${journal.newReference} and is healthy.${changeSentences(journal.dataChange)}`;
    case 'failed':
      if (error?.code === 'container_not_running') return `Nothing was changed: ${name} is not running, as before.`;
      return `Nothing was changed: ${name} still runs ${journal.oldReference} as before.${whoWasStopped(journal.stopped)}`;
    case 'rolled_back':
      if (journal.restore !== null) return restoredReason(journal, journal.restore);
      return journal.oldStopped
        ? `${name} was rolled back: the old container is running again and healthy.${changeSentences(journal.dataChange)}`
        : `${name} was rolled back: the old container was never stopped, and is healthy.${changeSentences(journal.dataChange)}`;
    case 'rollback_failed':
      if (error?.code === 'data_changed' && leftBy(journal.restore) === 'restored')
        return `${name} was rolled back: the old container is running again and healthy. ${firstLineOf(error.message)}`;
      if (error?.code === 'data_changed')
        return `${name} was rolled back, but its data was not restored: the old container is running and healthy on ${hasChanged(journal.dataChange) ? 'data that the new version changed' : 'the data of the new version'}.${changeSentences(journal.dataChange)} Decide whether to restore the backup of this update.`;
      if (error?.code === 'unhealthy_as_before')
        return `${name} was rolled back: the old container is running again and fails its health check, as before the update. Manual action required.${changeSentences(journal.dataChange)}`;
      if (error?.code === 'other_unhealthy' && journal.stage !== 'preparing')
        return `${name} was rolled back and is healthy, but another container that responded before the update does not respond: manual action required.${changeSentences(journal.dataChange)}`;
      if (journal.stage === 'settled')
        return `${name} runs ${journal.newReference} and was healthy, but the update could not be completed: check whether ${name} works.`;
      if (journal.stage === 'preparing')
        return `Nothing was changed, but a container that was stopped for the backup is not running: manual action required.`;
      return `The rollback of ${name} failed: the old container is down or unhealthy. Manual action required.${changeSentences(journal.dataChange)}`;
  }
}

function changedReason(journal: Journal, verdict: Verdict, { message }: Failure): string {
  const { stopped, broughtBack } = journal;
  const sentence = firstLineOf(message);
  if (verdict === 'rolled_back') return `${sentence} The old container is running and healthy.`;
  if (verdict !== 'failed')
    return `${sentence} The update could be neither finished nor undone: check whether ${journal.containerName} works.${changeSentences(journal.dataChange)}`;
  const unchanged = broughtBack === undefined ? 'diun-pilot changed nothing. ' : '';
  return `${unchanged}${sentence}${whoWasStopped(stopped)}`;
}

function whoWasStopped(stopped: Journal['stopped']): string {
  if (stopped.length === 0) return '';
  const names = stopped.map(({ name }) => name).join(', ');
  return ` Stopped for the backup and started again: ${names}.`;
}

function restoredReason(journal: Journal, restore: RestoreJournal): string {
  const { containerName: name, dataChange, soak } = journal;
  const [data, aside] = [restoredData(restore), retained(restore)];
  if (soak?.failed?.data === 'backup')
    return `${name} was rolled back, and ${data} was restored, as the operator chose; the old container is running again and healthy.${aside}`;
  const why =
    dataChange !== undefined && hasChanged(dataChange)
      ? `The new version had changed the data (${changesOf(dataChange)})`
      : 'The old version was not healthy after the rollback';
  return `${name} was rolled back. ${why}, so ${data} was restored; the old container is running again and healthy.${aside}`;
}

function restoredData({ manifest }: RestoreJournal): string {
  return `the data of ${manifest === null ? 'the backup' : formatTime(manifest.createdAt)}`;
}

function retained({ kept }: RestoreJournal): string {
  return kept.length === 0 ? '' : ` Retained: ${kept.map(({ what }) => what).join('; ')}.`;
}

/** Of a rollback that failed after the restore had succeeded; empty otherwise. */
function restoredAllTheSame({ restore }: Journal): string {
  if (restore === null || leftBy(restore) !== 'restored') return '';
  return ` ${capitalised(restoredData(restore))} was restored.${retained(restore)}`;
}

export function howUpdateEnded({ updates }: Pick<Store, 'updates'>, { id, status, steps }: Update): Seen {
  const journal = updates.journal(id);
  const rollout = updates.rollout(id);
  const failed = status === 'rolled_back' || status === 'rollback_failed';
  return {
    servedOn: status === 'rolled_back' && journal?.oldStopped === false,
    replaced: hasReplaced({ steps }, journal?.stage ?? rollout?.stage ?? null),
    dataChange: journal?.dataChange ?? rollout?.dataChange ?? null,
    newData: failed && journal !== null ? newDataOf(journal) : null,
    stopped: (journal?.stopped ?? rollout?.scaled ?? []).map(({ name }) => name),
    ownStop: journal && ownStopOf(journal),
    leftAtZero: leftBy(rollout?.restore ?? null) === 'half' ? (rollout?.scaled ?? []).map(({ name }) => name) : [],
    backupWasChosen: journal?.soak?.failed?.data === 'backup',
    broughtBack: journal?.broughtBack ?? null,
  };
}
