import { membersOf } from '../domain/backups/backup-place';
import { readTargets } from '../services/read-targets';
import type { Deps } from '../deps';
import type { BackupRecord } from '../domain/backups/backup';
import { codeOf, type Failure, messageOf, PilotError } from '../domain/errors';
import { backupFailed } from '../notifications/mails/backups';
import { postMail } from '../notifications/post-mail';
import { afterGoodBackup } from './after-good-backup';
import { takeBackup } from './take-backup';

/**
 * Takes the next requested backup. False: there is none. A failure is recorded and mailed, not thrown. Rejects when it cannot be
 * recorded, and as `readTargets`, to be called again.
 */
export async function runNextBackup(deps: Deps): Promise<boolean> {
  endRunning(deps, NOT_RECORDED);
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
    if (!(error instanceof PilotError)) throw error;
    deps.logger.error('backup failed', { backup: record.id, code: codeOf(error), reason: messageOf(error) });
  }
  return true;
}

/** Of a record that is running when the worker comes to the next backup: it does one thing at a time. */
const NOT_RECORDED: Failure = {
  code: 'backup_failed',
  message:
    'The backup failed, and the database of diun-pilot could not be written at its end. The log of diun-pilot has the reason. Take it again: diun-pilot backup',
};

const INTERRUPTED: Failure = {
  code: 'interrupted',
  message: 'diun-pilot was stopped while this backup was taken. Take it again: diun-pilot backup',
};

/** A backup that was running when the service died has no manifest, so it is not a backup. Called once, at start. */
export function endInterruptedBackups(deps: Ending): void {
  endRunning(deps, INTERRUPTED);
}

type Ending = Pick<Deps, 'clock' | 'publicUrl' | 'store'>;

function endRunning(deps: Ending, error: Failure): void {
  const { store, clock } = deps;
  for (const record of store.backups.running()) {
    store.transaction(() => {
      const failed = store.backups.change(record.id, {
        status: 'failed',
        finishedAt: clock.now().toISOString(),
        error,
      });
      if (record.updateId === null) mailOfFailure(deps, failed);
    });
  }
}

function mailOfFailure({ store, publicUrl }: Pick<Deps, 'publicUrl' | 'store'>, backup: BackupRecord): void {
  const lastGood = store.backups.lastSucceeded(backup);
  postMail(store.outbox, backupFailed({ backup, lastGood, publicUrl }));
}
