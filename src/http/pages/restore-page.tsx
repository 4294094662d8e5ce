import type { JSX } from 'preact';
import type { RestoreView } from '../../approvals/restore-link';
import { oneLine } from '../../notifications/letter/clean';
import { utc } from '../../notifications/letter/words';
import { backupFacts, nameOf } from '../../notifications/mails/passages';
import { keptPassage } from '../../notifications/mails/restore-ended';
import { Blocks } from './blocks';
import { page } from './layout';
import { messagePage } from './message-page';
import { NameField } from './name-field';
import { ago } from './words';

/** What the link of a failed rollback opens: what would be put back, and two buttons. Opening it changes nothing. */
export function restorePage({ update, backup, expiresAt }: RestoreView, now: Date, nameMissed = false): string {
  const name = nameOf(update);
  return page({
    title: `Restore the data of ${name}?`,
    children: (
      <>
        {nameMissed ? <NameMissed /> : null}
        <p class="badge alarm">Waits for you</p>
        <h1>Restore the data of {oneLine(name)}?</h1>
        <p>
          Its update failed, and the old version does not serve either. If its log says that the data is for a newer
          version, the data of the backup from before the update brings it back. Opening this page changes nothing.
        </p>
        <Blocks
          blocks={[
            { type: 'facts', facts: [...backupFacts(backup), { label: 'Of', value: utc(backup.createdAt) }] },
            {
              type: 'list',
              ordered: true,
              items: [
                'The set is read whole; a damaged one is refused before anything is stopped.',
                'Who writes to the data is stopped. Databases and files are restored beside what is there, then change places with it.',
                'All are started again and asked for their health. A mail tells how it ended.',
              ],
            },
            {
              type: 'important',
              text: `What was written since ${utc(backup.createdAt)} is then only in what is kept beside; nothing of it is deleted.`,
            },
          ]}
        />
        <Decide name={name} expiresAt={expiresAt} now={now} nameMissed={nameMissed} />
      </>
    ),
  });
}

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

interface Deciding {
  name: string;
  expiresAt: string;
  now: Date;
  nameMissed: boolean;
}

function Decide({ name, expiresAt, now, nameMissed }: Deciding): JSX.Element {
  return (
    <form method="post" id="decide" class="decide" aria-labelledby="decide-title">
      <h2 id="decide-title">Decide</h2>
      <p>
        If you do nothing, nothing happens: the link ends {utc(expiresAt)} ({ago(expiresAt, now)}).
      </p>
      <NameField container={name} to="restore" wrong={nameMissed} />
      <div class="buttons">
        <button class="approve" name="decision" value="approve">
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

/** Of a link that was used or has run out, and of what came of it. */
export function restoreStatePage({ update, backup, restore }: RestoreView): string {
  const name = nameOf(update);
  if (restore === null) {
    return messagePage({
      ...{ tone: 'quiet', word: 'Expired', heading: 'This link has run out' },
      sentences: [`Nothing was done to ${name}. On the host the same is:`],
      commands: [`diun-pilot restore ${backup.id}`],
    });
  }
  const words = WORDS[restore.status];
  const detail = restore.error?.message ?? restore.detail ?? 'It waits for its turn.';
  return page({
    title: `Restore of ${name}`,
    children: (
      <>
        <p class={`badge ${words.tone}`}>{words.word}</p>
        <h1>Restore of {oneLine(name)}</h1>
        <p>{oneLine(detail)}</p>
        {restore.finishedAt === null ? (
          <p>Load this page again to see how far it is; a mail tells how it ended.</p>
        ) : null}
        <Blocks blocks={keptPassage(restore)} />
      </>
    ),
  });
}

export function restoreDeclinedPage({ update }: RestoreView): string {
  return messagePage({
    ...{ tone: 'quiet', word: 'Nothing done', heading: 'Everything was left as it is' },
    sentences: [`The link stays open until it ends: ${nameOf(update)} still needs a person.`],
  });
}

const WORDS = {
  queued: { tone: 'notice', word: 'Queued' },
  running: { tone: 'notice', word: 'Running' },
  succeeded: { tone: 'good', word: 'Restored' },
  failed: { tone: 'alarm', word: 'Failed' },
} as const;
