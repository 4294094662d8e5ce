import { membersOf } from '../domain/backups/backup-place';
import { readTargets } from '../services/read-targets';
import type { Deps } from '../deps';
import type { BackupRecord } from '../domain/backups/backup';
import { codeOf, messageOf } from '../domain/errors';
import { backupFailed } from '../notifications/mails/backups/backup-failed';
import { postMail } from '../notifications/post-mail';
import { afterGoodBackup } from './after-good-backup';
import { takeBackup } from './take-backup';

/** Takes the next requested backup. False: there is none. A failure is recorded and mailed, not thrown. */
export async function runNextBackup(deps: Deps): Promise<boolean> {
  const record = deps.store.backups.nextQueued();
  if (record === null) return false;
  const members = membersOf(record, await readTargets(deps));
  try {
    await takeBackup(
      {
        ...deps,
        onProgress: () => undefined,
        onFailed: (failed) => mailOfFailure(deps, failed),
        onSucceeded: (good) => afterGoodBackup(deps, good),
      },
      { record, members, quiesced: false },
    );
  } catch (error) {
    deps.logger.error('backup failed', { backup: record.id, code: codeOf(error), reason: messageOf(error) });
  }
  return true;
}

/** A backup that was running when the service died has no manifest, so it is not a backup. Called once, at start. */
export function endInterruptedBackups(deps: Pick<Deps, 'clock' | 'publicUrl' | 'store'>): void {
  const { store, clock } = deps;
  for (const record of store.backups.running()) {
    store.transaction(() => {
      const failed = store.backups.change(record.id, {
        status: 'failed',
        finishedAt: clock.now().toISOString(),
        error: {
          code: 'interrupted',
          message: 'diun-pilot was stopped while this backup was taken. Take it again: diun-pilot backup',
        },
      });
      if (record.updateId === null) mailOfFailure(deps, failed);
    });
  }
}

function mailOfFailure({ store, publicUrl }: Pick<Deps, 'publicUrl' | 'store'>, backup: BackupRecord): void {
  const lastGood = store.backups.lastSucceeded(backup);
  postMail(store.outbox, backupFailed({ backup, lastGood, publicUrl }));
}
