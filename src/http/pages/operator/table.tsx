import type { ComponentChildren, JSX } from 'preact';
import { shortDigest, codeAsText } from '../../../domain/format';
import type { Mode } from '../../../domain/mode';
import type { ImageAt, Update } from '../../../domain/update';
import { oneLine, splitDetail } from '../../../notifications/letter/clean';
import { stepTitle } from '../../../notifications/letter/letter';
import { toneOf } from '../words';

export interface TableProps {
  caption: string;
  columns: string[];
  /** One cell for each column; a `null` cell is empty. */
  rows: ComponentChildren[][];
  /** Shown instead of a table without rows. */
  empty: string;
  /** How many rows are shown; the others are folded. Without it all rows are shown. */
  first?: number;
  /** The name of the folded rows, after their number: `older backups`. */
  rest?: string;
}

/** A long list shows its first rows; the others are folded behind a line with their number. */
export function Table({ first, rest, rows, empty, ...shape }: TableProps): JSX.Element {
  if (rows.length === 0) return <p>{empty}</p>;
  const folded = first === undefined ? [] : rows.slice(first);
  return (
    <>
      <Rows {...shape} rows={rows.slice(0, first)} />
      {folded.length === 0 ? null : (
        <details class="folded">
          <summary>
            {folded.length} {rest}
          </summary>
          <Rows {...shape} caption={`${shape.caption}: ${rest}`} rows={folded} />
        </details>
      )}
    </>
  );
}

/** Columns whose content is self-explanatory: as a card, they need no label. */
const PLAIN = new Set(['Image', 'From, to', 'Why', 'When', 'What', 'Step', 'Result', 'Version', 'Action', 'Age']);

/**
 * On a phone its rows become cards. The roles are written out, because browsers take them away from a table that is
 * laid out as blocks.
 */
function Rows({ caption, columns, rows }: Pick<TableProps, 'caption' | 'columns' | 'rows'>): JSX.Element {
  return (
    <table role="table">
      <caption>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th role="columnheader" scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((cells) => (
          <tr role="row">
            {cells.map((cell, index) => (
              <Cell column={columns[index] ?? ''}>{cell}</Cell>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cell({ column, children }: { column: string; children: ComponentChildren }): JSX.Element {
  return (
    <td role="cell" data-label={column} class={PLAIN.has(column) ? 'plain' : undefined}>
      {children === null ? null : <div>{children}</div>}
    </td>
  );
}

export function Status({ update: { status } }: { update: Update }): JSX.Element {
  return <span class={`badge ${toneOf(status)}`}>{codeAsText(status)}</span>;
}

/** The running step, with its progress. */
export function Doing({ update: { status, steps }, mode }: { update: Update; mode: Mode }): JSX.Element {
  const step = steps.find((each) => each.status === 'running');
  if (status === 'queued' && mode === 'observe') return <>not started while diun-pilot observes</>;
  if (step === undefined) return <>{status === 'queued' ? 'starts as soon as nothing else runs' : 'starting'}</>;
  const progress = splitDetail(step.detail ?? '').sentence;
  return (
    <>
      {stepTitle(step.name)}
      {progress === '' ? '' : `: ${oneLine(progress, 200)}`}
    </>
  );
}

interface ToUpdate {
  update: Update;
  text: string;
  /** For a screen reader, which reads the link without its row. */
  unseen?: string;
}

export function UpdateLink({ update, text, unseen }: ToUpdate): JSX.Element {
  return (
    <a href={`updates/${encodeURIComponent(update.id)}`}>
      {text}
      <span class="unseen">{unseen ?? `: update of ${oneLine(update.container ?? update.to.reference)}`}</span>
    </a>
  );
}

/** Tag and short digest; the update's page has the whole digest. A tag that stays is shown once. */
export function Versions({ update: { from, to } }: { update: Update }): JSX.Element {
  if (from?.digest && to.digest && from.reference === to.reference) {
    return (
      <p>
        {oneLine(to.reference)} ({oneLine(shortDigest(from.digest))} → {oneLine(shortDigest(to.digest))})
      </p>
    );
  }
  return (
    <p>
      {from === null ? null : <>{short(from)} → </>}
      {short(to)}
    </p>
  );
}

function short({ reference, digest }: ImageAt): string {
  return `${oneLine(reference)}${digest === null ? '' : ` (${oneLine(shortDigest(digest))})`}`;
}
