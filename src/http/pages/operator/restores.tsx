import type { ComponentChildren, JSX } from 'preact';
import type { RestoreRecord } from '../../../domain/backups/restore';
import { oneLine, splitDetail } from '../../../notifications/letter/clean';
import { Machine } from '../blocks';
import { ago, codeAsText, toneOfWork } from '../words';
import type { OperatorData } from './operator-data';
import { Table } from './table';

/** Restores that an operator requested, and how to remove the previous data that each has retained. */
export function Restores({ restores, now }: Pick<OperatorData, 'restores' | 'now'>): JSX.Element {
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
    updateId === null ? 'command line' : <a href={`/updates/${encodeURIComponent(updateId)}`}>mail of an update</a>,
  ];
}

function Outcome({ status, detail, error, kept }: RestoreRecord): JSX.Element {
  const { sentence, output } = splitDetail(error?.message ?? detail ?? '');
  return (
    <>
      {sentence === '' && status === 'queued' ? 'starts when the current work is finished' : oneLine(sentence, 400)}
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
