import type { ComponentChildren, JSX } from 'preact';

export interface TableProps {
  caption: string;
  columns: string[];
  /** One cell for each column; a `null` cell is empty. */
  rows: ComponentChildren[][];
  /** Instead of a table without rows. */
  empty: string;
}

/**
 * On a phone its rows become cards. The roles are written out, because browsers take them away from a table that is
 * laid out as blocks.
 */
export function Table({ caption, columns, rows, empty }: TableProps): JSX.Element {
  if (rows.length === 0) return <p>{empty}</p>;
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
              <td role="cell" data-label={columns[index]}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
