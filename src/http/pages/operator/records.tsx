import type { ComponentChildren, JSX } from 'preact';
import type { BackupRecord } from '../../../domain/backup';
import type { DrillVerdict } from '../../../domain/drill';
import { oneLine } from '../../../notifications/letter/clean';
import { bytes, utc } from '../../../notifications/letter/words';
import type { Refusal } from '../../../ports/store';
import { ago, inWords, type Tone } from '../words';
import { ActionForm } from './action-form';
import type { OperatorData } from './operator-data';
import { Table } from './table';

export function Backups({ backups, containers, tokenFor, now }: OperatorData): JSX.Element {
  const projects = new Set(
    (containers ?? [])
      .map(({ container }) => container)
      .filter(({ labels }) => labels.backup !== null)
      .map(({ project }) => project),
  );
  return (
    <section aria-labelledby="backups">
      <h2 id="backups">Backups</h2>
      <div class="actions">
        <ActionForm action="backup" id="" tokenFor={tokenFor} text="Back up everything now" of="" />
        {[...projects]
          .filter((project) => project !== null)
          .map((project) => (
            <ActionForm
              action="backup"
              id={project}
              tokenFor={tokenFor}
              text={`Back up ${oneLine(project)} now`}
              of=""
            />
          ))}
      </div>
      <Table
        caption="Backups, newest first"
        columns={['Of', 'Status', 'Age', 'Size', 'Verified', 'Restore drill', 'Where']}
        rows={backups.map((record) => backupRow(record, now))}
        empty="No backup was taken yet."
      />
    </section>
  );
}

const BACKUP_TONES: Record<BackupRecord['status'], Tone> = {
  queued: 'notice',
  running: 'notice',
  succeeded: 'good',
  failed: 'alarm',
  pruned: 'notice',
};

function backupRow(record: BackupRecord, now: Date): ComponentChildren[] {
  return [
    oneLine(record.project ?? record.container ?? 'everything'),
    <>
      <span class={`badge ${BACKUP_TONES[record.status]}`}>{inWords(record.status)}</span>
      {record.error === null ? null : <p>{oneLine(record.error.message, 400)}</p>}
      {record.pruned === null ? null : <p class="small">{oneLine(record.pruned.because)}</p>}
    </>,
    ago(record.finishedAt ?? record.createdAt, now),
    record.bytes === null ? null : bytes(record.bytes),
    record.verifiedAt === null ? 'not verified' : `read back ${utc(record.verifiedAt)}`,
    record.drill === null ? null : <Drill drill={record.drill} now={now} />,
    record.url === null ? null : oneLine(record.url),
  ];
}

const DRILL_TONES: Record<DrillVerdict['status'], Tone> = { passed: 'good', failed: 'alarm', skipped: 'attention' };

function Drill({ drill: { status, at, words }, now }: { drill: DrillVerdict; now: Date }): JSX.Element {
  return (
    <>
      <span class={`badge ${DRILL_TONES[status]}`}>{inWords(status)}</span>
      <p class="small">
        {ago(at, now)}: {oneLine(words, 400)}
      </p>
    </>
  );
}

/** Digests that are not offered again by themselves. */
export function Refused({ refusals, tokenFor, now }: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="refused">
      <h2 id="refused">Not offered again</h2>
      <Table
        caption="Digests in quarantine, and digests that were declined"
        columns={['Container', 'Digest', 'Why', 'When', 'Action']}
        rows={refusals.map((refusal) => [
          oneLine(refusal.container),
          <span class="digest">{oneLine(refusal.digest)}</span>,
          refusal.why === 'failed' ? 'it failed here' : 'it was declined',
          ago(refusal.at, now),
          <ActionForm
            action="retry"
            id={refusal.updateId}
            tokenFor={tokenFor}
            text="Try it again"
            of={versionOf(refusal)}
          />,
        ])}
        empty="Nothing is in quarantine, and nothing was declined."
      />
    </section>
  );
}

function versionOf({ container, digest }: Refusal): string {
  return `on ${oneLine(container)}: ${oneLine(digest.slice(0, 19))}`;
}

export function Mails({ undelivered, now }: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="mails">
      <h2 id="mails">Undelivered mails</h2>
      <Table
        caption="Mails that wait for the mail server or were refused by it"
        columns={['Subject', 'Status', 'Written', 'Tried', 'Server says']}
        rows={undelivered.map((mail) => [
          oneLine(mail.subject),
          mail.status === 'refused' ? 'refused; tried again at the next start' : 'waits for the next try',
          ago(mail.createdAt, now),
          mail.attempts === 1 ? 'once' : `${mail.attempts} times`,
          mail.lastError === null ? null : oneLine(mail.lastError, 400),
        ])}
        empty="Every mail was delivered."
      />
    </section>
  );
}

const MOST_OF_A_BODY = 4000;

/** When Diun was last heard, and what came that could not be read, as it came. */
export function Diun({ lastHeardAt, rejected, now }: OperatorData): JSX.Element {
  return (
    <section aria-labelledby="diun">
      <h2 id="diun">Diun</h2>
      <p>
        {lastHeardAt === null
          ? 'Diun was never heard: set its webhook as README.md says, then run diun notif test.'
          : `Diun was last heard ${ago(lastHeardAt, now)}, ${utc(lastHeardAt)}.`}
      </p>
      {rejected.length === 0 ? null : <h3>Rejected webhooks</h3>}
      {rejected.map(({ receivedAt, outcome, body }) => (
        <details>
          <summary>
            {utc(receivedAt)}: {oneLine(outcome ?? '', 400)}
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
            {oneLine(name)}: {nextAt === null ? 'switched off' : `${utc(nextAt)} (${ago(nextAt, now)})`}
            {last === null ? null : <p class="small">{`Last ${ago(last.at, now)}: ${oneLine(last.outcome)}`}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
