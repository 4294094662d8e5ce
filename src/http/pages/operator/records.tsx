import { formatTime, shortDigest, codeAsText } from '../../../domain/format';
import type { JSX } from 'preact';
import { oneLine } from '../../../notifications/letter/clean';
import type { Refusal } from '../../../ports/store';
import { ago } from '../words';
import { ActionForm } from './action-form';
import type { OperatorData } from './operator-data';
import { Table } from './table';

/** Digests that are not offered again automatically. */
export function Refused({ refusals, tokenFor, now }: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="refused">
      <h2 id="refused">Not offered again</h2>
      <Table
        caption="Digests in quarantine, and digests that were declined"
        columns={['Container', 'Why', 'Version', 'Action']}
        rows={refusals.map((refusal) => [
          oneLine(refusal.container),
          `${refusal.why === 'failed' ? 'it failed here' : 'it was declined'}, ${ago(refusal.at, now)}`,
          <a class="digest" href={`updates/${encodeURIComponent(oneLine(refusal.updateId))}`}>
            {oneLine(shortDigest(refusal.digest))}
            <span class="unseen">: the update of {oneLine(refusal.container)} that offered it</span>
          </a>,
          <ActionForm
            action="retry"
            id={refusal.updateId}
            tokenFor={tokenFor}
            text="Try it again"
            of={versionOf(refusal)}
          />,
        ])}
        empty="No digest is in quarantine, and none was declined."
        first={3}
        rest="more that are not offered again"
      />
    </section>
  );
}

function versionOf({ container, digest }: Refusal): string {
  return `on ${oneLine(container)}: ${oneLine(shortDigest(digest))}`;
}

export function Mails({ undelivered, now }: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="mails">
      <h2 id="mails">Undelivered mails</h2>
      <Table
        caption="Mails that are waiting for the mail server or were refused by it"
        columns={['Subject', 'Status', 'Written', 'Attempts', 'Server response']}
        rows={undelivered.map((mail) => [
          oneLine(mail.subject),
          mail.status === 'refused' ? 'refused; retried at the next start' : 'waiting for the next attempt',
          ago(mail.createdAt, now),
          String(mail.attempts),
          mail.lastError === null ? null : oneLine(mail.lastError, 400),
        ])}
        empty="Every mail was delivered."
        first={3}
        rest="older undelivered mails"
      />
    </section>
  );
}

/** Where notices go in addition to mail; nothing at all when no channel is set. */
export function Channels({ channels, now }: OperatorData): JSX.Element | null {
  if (channels.length === 0) return null;
  return (
    <section aria-labelledby="channels">
      <h2 id="channels">Channels</h2>
      <Table
        caption="Channels in addition to mail, and what each has still to deliver"
        columns={['Channel', 'Topics', 'State', 'Service response']}
        rows={channels.map(({ name, topics, pending, refused, oldestPendingAt, lastError }) => [
          oneLine(name),
          topics.join(', '),
          channelState(pending, refused, oldestPendingAt === null ? null : ago(oldestPendingAt, now)),
          lastError === null ? null : oneLine(lastError, 400),
        ])}
        empty=""
        first={10}
        rest="more channels"
      />
    </section>
  );
}

function channelState(pending: number, refused: number, since: string | null): string {
  if (refused > 0) return `${refused} refused; retried at the next start`;
  return pending === 0 || since === null
    ? 'everything was delivered'
    : `${pending} not delivered yet, the oldest ${since}`;
}

const MOST_OF_A_BODY = 4000;

/** The time of the last notification from Diun, and the notifications that could not be read, verbatim. */
export function Diun({ lastHeardAt, rejected, now }: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="diun">
      <h2 id="diun">Diun</h2>
      <p>
        {lastHeardAt === null
          ? 'No notification from Diun yet: configure its webhook as docs/getting-started.md shows, then run diun notif test. Without Diun, ignore this: reconcile finds updates.'
          : `Last notification from Diun: ${ago(lastHeardAt, now)}, ${formatTime(lastHeardAt)}.`}
      </p>
      {rejected.length === 0 ? null : <h3>Rejected webhooks</h3>}
      {rejected.map(({ receivedAt, outcome, body }) => (
        <details>
          <summary>
            {formatTime(receivedAt)}: {oneLine(outcome ?? '', 400)}
          </summary>
          <pre tabindex={0}>
            {body
              .slice(0, MOST_OF_A_BODY)
              .split(/\r\n|[\n\r]/)
              .map((line) => oneLine(line))
              .join('\n')}
          </pre>
        </details>
      ))}
    </section>
  );
}

export function Timers({ timers, now }: OperatorData): JSX.Element | null {
  if (timers.length === 0) return null;
  return (
    <section aria-labelledby="timers">
      <h2 id="timers">Next runs</h2>
      <ul>
        {timers.map(({ name, nextAt, last }) => (
          <li>
            <strong>{codeAsText(oneLine(name))}</strong>:{' '}
            {nextAt === null ? 'switched off' : `${ago(nextAt, now)}, ${formatTime(nextAt)}`}
            {last === null ? null : <p class="small">{`Last ${ago(last.at, now)}: ${oneLine(last.outcome)}`}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
