import type { ComponentChildren, JSX } from 'preact';
import type { RestoreRecord } from '../../../domain/restore';
import { oneLine, splitDetail } from '../../../notifications/letter/clean';
import { Machine } from '../blocks';
import { ago, inWords, toneOfWork } from '../words';
import type { OperatorData } from './operator-data';
import { Table } from './table';

/** Restores that somebody asked for, and how to remove what each has set aside. */
export function Restores({ restores, now }: Pick<OperatorData, 'restores' | 'now'>): JSX.Element {
  return (
    <>
      <h3>Restores</h3>
      <Table
        caption="Restores that were asked for, newest first"
        columns={['Of', 'Status', 'When', 'What came of it', 'Asked by']}
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
    <span class={`badge ${toneOfWork(status)}`}>{inWords(status)}</span>,
    ago(record.finishedAt ?? record.startedAt ?? record.createdAt, now),
    <Outcome {...record} />,
    updateId === null ? (
      'the command line'
    ) : (
      <a href={`/updates/${encodeURIComponent(updateId)}`}>the mail of an update</a>
    ),
  ];
}

function Outcome({ status, detail, error, kept }: RestoreRecord): JSX.Element {
  const { sentence, output } = splitDetail(error?.message ?? detail ?? '');
  return (
    <>
      {sentence === '' && status === 'queued' ? 'starts as soon as nothing else runs' : oneLine(sentence, 400)}
      {output.length === 0 ? null : (
        <details>
          <summary>What was printed</summary>
          <Machine lines={output.map((line) => oneLine(line))} />
        </details>
      )}
      {kept.length === 0 ? null : (
        <details>
          <summary>What was there before is kept: how to remove it</summary>
          <Machine lines={kept.map(({ remove }) => oneLine(remove))} />
        </details>
      )}
    </>
  );
}
