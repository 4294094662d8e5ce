import { identifier, literal } from '../../lib/sql-quoting';

/** A migration table with more rows than these is not a small table. */
const ROWS_AT_MOST = 1000;

/** A table that looks like that of a migration tool. */
export interface VersionedTable {
  schema: string;
  table: string;
  /** As reports name it: without the schema where that is `public`. */
  title: string;
  /** The column that names a migration; null: none of a plain type. */
  value: string | null;
  /** The column by which the newest row is known; null: `value` itself. */
  rank: string | null;
}

/** One line of JSON: for each table its rows, a hash over their content, and what its newest row says. */
export function contentsQuery(tables: readonly VersionedTable[]): string {
  return `SELECT json_build_array(${tables.map(ofTable).join(', ')})`;
}

function ofTable({ schema, table, title, value, rank }: VersionedTable): string {
  const from = `${identifier(schema)}.${identifier(table)}`;
  const newest = value === null ? 'NULL' : newestOf(from, identifier(value), rank);
  return `(SELECT json_build_object('title', ${literal(title)}, 'rows', count(*), 'last', ${newest},
    'hash', md5(string_agg(md5((of_it.*)::text), '' ORDER BY md5((of_it.*)::text) COLLATE "C")))
    FROM (SELECT * FROM ${from} LIMIT ${ROWS_AT_MOST + 1}) of_it)`;
}

function newestOf(from: string, value: string, rank: string | null): string {
  const by = rank === null ? `${value}::text COLLATE "C"` : identifier(rank);
  return `(SELECT left(${value}::text, 100) FROM ${from} ORDER BY ${by} DESC NULLS LAST LIMIT 1)`;
}

/** Whether all of its rows were read. */
export function isWhole(rows: number): boolean {
  return rows <= ROWS_AT_MOST;
}
