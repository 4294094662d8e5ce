import { type BackupRecord, type DrillVerdict, keyOfPlace, scopeName } from '../../../domain/backups/backup';
import type { ComponentChildren, JSX } from 'preact';
import type { RestoreRecord } from '../../../domain/backups/restore';
import { formatBytes, codeAsText } from '../../../domain/format';
import { oneLine, splitDetail } from '../../../notifications/letter/clean';
import { Machine } from '../blocks';
import { ago, toneOfWork, type Tone } from '../words';
import { ActionForm } from './action-form';
import type { OperatorData } from './operator-data';
import { Table } from './table';

/** The backups, and the restores from them. */
export function Backups(data: OperatorData): JSX.Element {
  const { backups, restores, now } = data;
  const ordered = newestOfEachFirst(backups);
  return (
    <section aria-labelledby="backups">
      <h2 id="backups">Backups</h2>
      <Buttons {...data} />
      <Table
        caption="Backups, the newest of each set first"
        columns={['Set', 'Status', 'Age', 'Size', 'Verified', 'Restore drill', 'Where']}
        rows={[...ordered.newest, ...ordered.older].map((record) => backupRow(record, now))}
        empty="No backups yet."
        first={ordered.newest.length}
        rest="older backups"
      />
      {restores.length === 0 ? null : <Restores restores={restores} now={now} />}
    </section>
  );
}

function Buttons({ containers, tokenFor }: OperatorData): JSX.Element {
  const projects = new Set(
    (containers ?? [])
      .filter(({ container: { labels, project } }) => labels.backup !== null && project !== null)
      .map(({ container }) => container.project ?? ''),
  );
  return (
    <>
      <div class="actions">
        <ActionForm action="backup" id="" tokenFor={tokenFor} text="Back up everything now" of="" />
      </div>
      {projects.size === 0 ? null : (
        <details>
          <summary>Back up one project</summary>
          <div class="actions">
            {[...projects].map((project) => (
              <ActionForm
                action="backup"
                id={project}
                tokenFor={tokenFor}
                text={`Back up ${oneLine(project)} now`}
                of=""
              />
            ))}
          </div>
        </details>
      )}
    </>
  );
}

/** Shown first is the state of each set: a backup in progress or the last failure, and the newest good one. */
function newestOfEachFirst(records: BackupRecord[]): { newest: BackupRecord[]; older: BackupRecord[] } {
  const covered = new Set<string>();
  const newest = new Set<BackupRecord>();
  for (const record of records) {
    const set = keyOfPlace(record);
    if (covered.has(set)) continue;
    newest.add(record);
    if (record.status === 'succeeded') covered.add(set);
  }
  return { newest: [...newest], older: records.filter((record) => !newest.has(record)) };
}

function backupRow(record: BackupRecord, now: Date): ComponentChildren[] {
  return [
    oneLine(scopeName(record)),
    <span class={`badge ${toneOfWork(record.status)}`}>{codeAsText(record.status)}</span>,
    ago(record.finishedAt ?? record.createdAt, now),
    record.bytes === null ? null : formatBytes(record.bytes),
    verification(record, now),
    record.drill === null ? null : <Drill drill={record.drill} now={now} />,
    record.url === null || record.status === 'pruned' ? null : <span class="digest">{oneLine(record.url)}</span>,
  ];
}

/** Whether the backup is reliable, and if not, why. */
function verification({ status, verifiedAt, error, pruned }: BackupRecord, now: Date): string | null {
  if (pruned !== null) return `removed: ${oneLine(pruned.because)}`;
  if (error !== null) return `not verified: ${oneLine(error.message, 400)}`;
  if (verifiedAt !== null) return `read back ${ago(verifiedAt, now)}`;
  return status === 'failed' ? 'not verified' : null;
}

const DRILL_TONES: Record<DrillVerdict['status'], Tone> = { passed: 'good', failed: 'alarm', skipped: 'attention' };

function Drill({ drill: { status, at, words }, now }: { drill: DrillVerdict; now: Date }): JSX.Element {
  return (
    <>
      <span class={`badge ${DRILL_TONES[status]}`}>{codeAsText(status)}</span>
      <p class="small">
        {ago(at, now)}: {oneLine(words, 400)}
      </p>
    </>
  );
}

/** Restores that an operator requested, and how to remove the previous data that each has retained. */
function Restores({ restores, now }: Pick<OperatorData, 'restores' | 'now'>): JSX.Element {
  return (
    <>
      <h3>Restores</h3>
      <Table
        caption="Requested restores, newest first"
        columns={['Target', 'Status', 'When', 'Result', 'Requested by']}
        rows={restores.map((record) => restoreRow(record, now))}
        empty=""
        first={3}
        rest="older restores"
      />
    </>
  );
}

function restoreRow(record: RestoreRecord, now: Date): ComponentChildren[] {
  const { status, updateId, target, folder } = record;
  return [
    oneLine(target ?? folder.split('/')[0] ?? folder),
    <span class={`badge ${toneOfWork(status)}`}>{codeAsText(status)}</span>,
    ago(record.finishedAt ?? record.startedAt ?? record.createdAt, now),
    <Outcome {...record} />,
    updateId === null ? 'command line' : <a href={`updates/${encodeURIComponent(updateId)}`}>mail of an update</a>,
  ];
}

function Outcome({ status, detail, error, kept }: RestoreRecord): JSX.Element {
  const { sentence, output } = splitDetail(error?.message ?? detail ?? '');
  return (
    <>
      {sentence === '' && status === 'queued' ? 'starts as soon as nothing else runs' : oneLine(sentence, 400)}
      {output.length === 0 ? null : (
        <details>
          <summary>Output</summary>
          <Machine lines={output.map((line) => oneLine(line))} />
        </details>
      )}
      {kept.length === 0 ? null : (
        <details>
          <summary>The previous data is retained: how to remove it</summary>
          <Machine lines={kept.map(({ remove }) => oneLine(remove))} />
        </details>
      )}
    </>
  );
}
