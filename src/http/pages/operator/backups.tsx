import type { ComponentChildren, JSX } from 'preact';
import type { BackupRecord } from '../../../domain/backup';
import type { DrillVerdict } from '../../../domain/drill';
import type { RestoreRecord } from '../../../domain/restore';
import { oneLine, splitDetail } from '../../../notifications/letter/clean';
import { bytes, utc } from '../../../notifications/letter/words';
import { Machine } from '../blocks';
import { ago, inWords, type Tone } from '../words';
import { ActionForm } from './action-form';
import type { OperatorData } from './operator-data';
import { Table } from './table';

/** What was taken, and what was put back of it. */
export function Backups({ backups, restores, containers, tokenFor, now }: OperatorData): JSX.Element {
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
      {restores.length === 0 ? null : <Restores restores={restores} now={now} />}
    </section>
  );
}

const BACKUP_TONES: Record<BackupRecord['status'], Tone> = {
  queued: 'notice',
  running: 'notice',
  succeeded: 'good',
  failed: 'alarm',
  pruned: 'quiet',
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
    verification(record),
    record.drill === null ? null : <Drill drill={record.drill} now={now} />,
    record.url === null || record.status === 'pruned' ? null : oneLine(record.url),
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

function verification({ status, verifiedAt }: BackupRecord): string | null {
  if (verifiedAt !== null) return `read back ${utc(verifiedAt)}`;
  return status === 'failed' ? 'not verified' : null;
}

function Restores({ restores, now }: Pick<OperatorData, 'restores' | 'now'>): JSX.Element {
  return (
    <>
      <h3>Restores</h3>
      <Table
        caption="Restores that were asked for, newest first"
        columns={['Of', 'Status', 'When', 'Asked by', 'What came of it']}
        rows={restores.map((record) => restoreRow(record, now))}
        empty=""
      />
    </>
  );
}

const RESTORE_TONES: Record<RestoreRecord['status'], Tone> = {
  queued: 'notice',
  running: 'notice',
  succeeded: 'good',
  failed: 'alarm',
};

function restoreRow(record: RestoreRecord, now: Date): ComponentChildren[] {
  const { status, detail, error, kept, updateId, target, folder } = record;
  const { sentence, output } = splitDetail(error?.message ?? detail ?? '');
  return [
    oneLine(target ?? folder.split('/')[0] ?? folder),
    <span class={`badge ${RESTORE_TONES[status]}`}>{inWords(status)}</span>,
    ago(record.finishedAt ?? record.startedAt ?? record.createdAt, now),
    updateId === null ? (
      'the command line'
    ) : (
      <a href={`/updates/${encodeURIComponent(updateId)}`}>the mail of an update</a>
    ),
    <>
      <p>{oneLine(sentence, 400)}</p>
      <Machine lines={output.map((line) => oneLine(line))} />
      {kept.length === 0 ? null : (
        <details>
          <summary>What was there before is kept: how to remove it</summary>
          <Machine lines={kept.map(({ remove }) => oneLine(remove))} />
        </details>
      )}
    </>,
  ];
}
