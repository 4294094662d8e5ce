import { formatTime } from '../../domain/format';
import type { JSX } from 'preact';
import { howRepaired } from '../../backups/since-update';
import type { RestoreView, SetTrust } from '../../decisions/recovery-links';
import { type PastUpdate, restoreIn, type Update } from '../../domain/update';
import { type BackupRecord, takenAt } from '../../domain/backups/backup';
import type { RestoreRecord } from '../../domain/backups/restore';
import { oneLine } from '../../notifications/letter/clean';
import { listBlock, paragraph, section, type Block, shellCommand } from '../../notifications/letter/letter';
import { rollbackTrouble } from '../../notifications/mails/failure';
import { backupFacts, nameOf } from '../../notifications/mails/passages/passages';
import { howRestoreEnded, keptPassage, whatToDoAfterRestore } from '../../notifications/mails/restore-ended';
import { Blocks, typeset } from './blocks';
import { NameField, NameMissed, page } from './layout';
import { messagePage } from './message-page';
import { ago } from './words';

/** The page that the link of a failed rollback opens: the backup to restore, and two buttons. Opening it changes nothing. */
export function restorePage(
  { update, backup, expiresAt }: RestoreView,
  { distrust, sha256 }: SetTrust,
  now: Date,
  missed: 'name' | 'trust' | null = null,
): string {
  const name = nameOf(update);
  return page({
    title: `Restore the data of ${name}?`,
    children: (
      <>
        {missed === 'name' ? <NameMissed /> : null}
        {missed === 'trust' ? <TrustMissed /> : null}
        <Question name={name} update={update} />
        <Blocks blocks={whyNotTrusted(distrust)} />
        <Decide
          {...{ name, backup, expiresAt, now }}
          nameMissed={missed === 'name'}
          manifest={distrust === null ? null : sha256}
        />
        <Blocks blocks={[...rollbackTrouble(update), ...whatWouldHappen(backup, now)]} />
      </>
    ),
  });
}

function Question({ name, update }: { name: string; update: Update }): JSX.Element {
  return (
    <>
      <p class="badge alarm">Decision required</p>
      <h1>Restore the data of {oneLine(name)}?</h1>
      <p>
        {STATES[update.error?.code ?? ''] ?? DOWN}{' '}
        {restoreIn(update) === undefined
          ? 'Nothing has been restored.'
          : 'Its rollback has restored this backup before.'}{' '}
        Opening this page changes nothing; only the buttons do.
      </p>
    </>
  );
}

const DOWN =
  'Its update failed, and the old version does not work either. If the old version cannot use the data because the new version changed it, restore the data from before the update.';

/** By the code of the update: where the old version is not simply down. */
const STATES: Record<string, string> = {
  data_changed:
    'Its update was rolled back. The old version is running and healthy, but on the data of the new version.',
  other_unhealthy:
    'Its update was rolled back. The old version is running and healthy, but another container, which worked before the update, does not respond now.',
  unhealthy_as_before:
    'Its update was rolled back. The old version is running, and fails its health check as it did before the update.',
  changed_meanwhile: 'Its update was aborted, because the container was changed externally.',
};

function whyNotTrusted(distrust: string | null): Block[] {
  if (distrust === null) return [];
  const text = `This backup is not authenticated: ${distrust}. A restore runs its content as superuser of the database. By typing the name below you also confirm that you trust it.`;
  return [{ type: 'important', text }];
}

function whatWouldHappen(backup: BackupRecord, now: Date): Block[] {
  const taken = `${formatTime(takenAt(backup))} (${ago(takenAt(backup), now)})`;
  return [
    ...section('The backup that would be restored', {
      type: 'facts',
      facts: [{ label: 'Taken', value: taken }, ...backupFacts(backup)],
    }),
    ...section('Steps, in this order', listBlock(COURSE, true)),
  ];
}

const COURSE = [
  'The whole backup is read; a damaged one is refused before anything is stopped.',
  'All containers that write to the data are stopped. Databases and files are restored next to the current ones, then swapped with them.',
  'All stopped containers are started again, and their health is checked. A mail reports the result.',
];

function TrustMissed(): JSX.Element {
  return (
    <div class="notice alarm" role="alert">
      <p>
        <strong>Nothing was done.</strong> The manifest of the backup has changed since you opened the page, and it is
        not authenticated. Read the reason below before you decide.
      </p>
    </div>
  );
}

interface Deciding {
  name: string;
  backup: BackupRecord;
  expiresAt: string;
  now: Date;
  nameMissed: boolean;
  /** SHA-256 of a manifest that is not authenticated: only the one that was shown is trusted. */
  manifest: string | null;
}

function Decide({ name, backup, expiresAt, now, nameMissed, manifest }: Deciding): JSX.Element {
  return (
    <form method="post" id="decide" class="decide" aria-labelledby="decide-title">
      <h2 id="decide-title">Decide</h2>
      <p>
        If you do nothing, nothing happens: the link expires at {typeset(formatTime(expiresAt))} ({ago(expiresAt, now)}
        ).
      </p>
      <Blocks blocks={[whatIsLost(backup, now)]} />
      {manifest === null ? null : <input type="hidden" name="manifest" value={manifest} />}
      <NameField container={name} to="restore" wrong={nameMissed} />
      <div class="buttons">
        <button class="grave" name="decision" value="approve">
          Restore it now
        </button>
        <div class="decline">
          <button name="decision" value="decline" formnovalidate>
            Leave it as it is
          </button>
        </div>
      </div>
    </form>
  );
}

function whatIsLost(backup: BackupRecord, now: Date): Block {
  const taken = takenAt(backup);
  return {
    type: 'important',
    text: `The backup is from ${formatTime(taken)} (${ago(taken, now)}). Data written since then is afterwards only in the retained copy; none of it is deleted.`,
  };
}

export const RESTORE_REFRESH_SECONDS = 10;

/** For a link that is no longer open: the state of the restore, or why there will be none. */
export function restoreStatePage({ update, backup, restore, left, repair }: RestoreView): string {
  const name = nameOf(update);
  if (restore === null) return repair === null ? expiredPage(name, backup) : repairedPage(name, backup, repair);
  const words = restore.error?.code === 'restore_not_healthy' ? NOT_HEALTHY : WORDS[restore.status];
  const said =
    restore.finishedAt === null
      ? progressOf(restore)
      : [...howRestoreEnded(restore), ...whatToDoAfterRestore(restore, left)];
  return page({
    title: `Restore of ${name}`,
    children: (
      <>
        <p class={`badge ${words.tone}`}>{words.word}</p>
        <h1>Restore of the data of {oneLine(name)}</h1>
        <Blocks blocks={said} />
        {restore.finishedAt === null ? (
          <p>
            This page reloads every {RESTORE_REFRESH_SECONDS} seconds. You can close it: a mail reports the result of
            the restore.
          </p>
        ) : null}
        <Blocks blocks={keptPassage(restore)} />
      </>
    ),
  });
}

function expiredPage(name: string, backup: BackupRecord): string {
  return messagePage({
    ...{ tone: 'quiet', word: 'Expired', heading: `The link to restore the data of ${name} has expired` },
    sentences: [
      `Nothing was done to ${name}.`,
      `What to do now: if ${name} still does not work, restore its data on the host:`,
    ],
    commands: [shellCommand('diun-pilot', 'restore', backup.id)],
  });
}

function repairedPage(name: string, backup: BackupRecord, repair: PastUpdate): string {
  return messagePage({
    ...{ tone: 'quiet', word: 'Superseded', heading: `The link to restore the data of ${name} is no longer valid` },
    sentences: [
      `${howRepaired(repair)} Nothing was done by this link.`,
      `What to do now: nothing, if ${name} works. A restore would replace the data written since ${formatTime(backup.createdAt)}. If you still want it, run it on the host:`,
    ],
    commands: [shellCommand('diun-pilot', 'restore', backup.id)],
  });
}

function progressOf({ status, detail }: RestoreRecord): Block[] {
  return [
    paragraph(
      status === 'queued' ? 'It starts as soon as nothing else runs.' : `Now: ${detail ?? 'reading the backup'}.`,
    ),
  ];
}

export function restoreDeclinedPage({ update }: RestoreView): string {
  return messagePage({
    ...{ tone: 'quiet', word: 'Nothing done', heading: 'Nothing was changed' },
    sentences: [
      'Nothing was restored.',
      `What to do now: manual action is still required for ${nameOf(update)}; the mail says where to start. Until the link expires, you can still use it to restore the data.`,
    ],
  });
}

const NOT_HEALTHY = { tone: 'alarm', word: 'Restored, not healthy' } as const;

const WORDS = {
  queued: { tone: 'notice', word: 'Queued' },
  running: { tone: 'notice', word: 'Running' },
  succeeded: { tone: 'good', word: 'Restored' },
  failed: { tone: 'alarm', word: 'Failed' },
} as const;
