import type { ComponentChildren, JSX } from 'preact';

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
