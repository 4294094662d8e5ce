import type { JSX } from 'preact';
import type { RestoreView, SetTrust } from '../../approvals/restore-link';
import type { BackupRecord } from '../../domain/backup';
import type { RestoreRecord } from '../../domain/restore';
import { oneLine } from '../../notifications/letter/clean';
import { list, paragraph, section, type Block } from '../../notifications/letter/letter';
import { shellCommand } from '../../notifications/letter/shell';
import { utc } from '../../notifications/letter/words';
import { rollbackTrouble } from '../../notifications/mails/failure';
import { backupFacts, nameOf } from '../../notifications/mails/passages';
import { howItEnded, keptPassage, whatToDo } from '../../notifications/mails/restore-ended';
import { Blocks, typeset } from './blocks';
import { page } from './layout';
import { messagePage } from './message-page';
import { NameField } from './name-field';
import { ago } from './words';

/** What the link of a failed rollback opens: what would be put back, and two buttons. Opening it changes nothing. */
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
        <Question name={name} />
        <Blocks blocks={[...rollbackTrouble(update), ...whyNotTrusted(distrust), ...whatWouldHappen(backup, now)]} />
        <Decide
          {...{ name, expiresAt, now }}
          nameMissed={missed === 'name'}
          manifest={distrust === null ? null : sha256}
        />
      </>
    ),
  });
}

function Question({ name }: { name: string }): JSX.Element {
  return (
    <>
      <p class="badge alarm">Waits for you</p>
      <h1>Restore the data of {oneLine(name)}?</h1>
      <p>
        Its update failed, and the old version does not serve either. If the old version refuses the data because a
        newer one has changed it, the data from before the update brings it back. Nothing has been restored, and opening
        this page changes nothing: only a button does.
      </p>
      <p class="alone">
        <a href="#decide">Go to the buttons</a>
      </p>
    </>
  );
}

function whyNotTrusted(distrust: string | null): Block[] {
  if (distrust === null) return [];
  const text = `This backup is not authenticated: ${distrust}. A restore runs what is in it as superuser of the database. The name that you type below also says that you trust it.`;
  return [{ type: 'important', text }];
}

function whatWouldHappen(backup: BackupRecord, now: Date): Block[] {
  const taken = `${utc(backup.createdAt)} (${ago(backup.createdAt, now)})`;
  return [
    ...section('The backup that would be restored', {
      type: 'facts',
      facts: [{ label: 'Taken', value: taken }, ...backupFacts(backup)],
    }),
    ...section('What happens, in this order', list(COURSE, true)),
    {
      type: 'important',
      text: `What was written since ${utc(backup.createdAt)} is then only in what is kept beside; nothing of it is deleted.`,
    },
  ];
}

const COURSE = [
  'The backup is read whole; a damaged one is refused before anything is stopped.',
  'Who writes to the data is stopped. Databases and files are restored beside what is there, then change places with it.',
  'All are started again and asked for their health. A mail tells how it ended.',
];

function NameMissed(): JSX.Element {
  return (
    <div class="notice alarm" role="alert">
      <p>
        <strong>Nothing was done.</strong> What was typed is not the name of the container.{' '}
        <a href="#name">Go to the field</a>
      </p>
    </div>
  );
}

function TrustMissed(): JSX.Element {
  return (
    <div class="notice alarm" role="alert">
      <p>
        <strong>Nothing was done.</strong> The manifest of the backup is not the one of the page that you read, and it
        is not authenticated. Read below why before you decide.
      </p>
    </div>
  );
}

interface Deciding {
  name: string;
  expiresAt: string;
  now: Date;
  nameMissed: boolean;
  /** SHA-256 of a manifest that is not authenticated: only the one that was shown is trusted. */
  manifest: string | null;
}

function Decide({ name, expiresAt, now, nameMissed, manifest }: Deciding): JSX.Element {
  return (
    <form method="post" id="decide" class="decide" aria-labelledby="decide-title">
      <h2 id="decide-title">Decide</h2>
      <p>
        If you do nothing, nothing happens: the link ends {typeset(utc(expiresAt))} ({ago(expiresAt, now)}).
      </p>
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

export const RESTORE_REFRESH_SECONDS = 10;

/** Of a link that was used or has run out, and of what came of it. */
export function restoreStatePage({ update, backup, restore }: RestoreView): string {
  const name = nameOf(update);
  if (restore === null) return expiredPage(name, backup);
  const words = WORDS[restore.status];
  const said = restore.finishedAt === null ? progressOf(restore) : [...howItEnded(restore), ...whatToDo(restore)];
  return page({
    title: `Restore of ${name}`,
    children: (
      <>
        <p class={`badge ${words.tone}`}>{words.word}</p>
        <h1>Restore of the data of {oneLine(name)}</h1>
        <Blocks blocks={said} />
        {restore.finishedAt === null ? (
          <p>
            This page loads itself again every {RESTORE_REFRESH_SECONDS} seconds. You may close it: a mail tells how the
            restore ended.
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
    sentences: [`Nothing was done to ${name}.`, 'What to do now: if it still does not serve, restore it on the host:'],
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
    ...{ tone: 'quiet', word: 'Nothing done', heading: 'Everything was left as it is' },
    sentences: [
      'Nothing was restored, and nothing was changed.',
      `What to do now: ${nameOf(update)} still needs a person; the mail says where to look first. Until the link ends it can still be restored by it.`,
    ],
  });
}

const WORDS = {
  queued: { tone: 'notice', word: 'Queued' },
  running: { tone: 'notice', word: 'Running' },
  succeeded: { tone: 'good', word: 'Restored' },
  failed: { tone: 'alarm', word: 'Failed' },
} as const;
