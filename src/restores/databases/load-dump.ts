import type { ExecResult } from '../../ports/engine';

/**
 * `transactions`: not all in one. `search_path`: functions find the names that they use without a schema. `own_name`: into
 * a database of the name that it was dumped from.
 */
export type Relaxation = 'transactions' | 'search_path' | 'own_name';

/** One way to load a dump: `prepare` makes the database fresh again, `load` runs pg_restore with the flags. */
export interface Load {
  prepare: (relaxed: readonly Relaxation[]) => Promise<void>;
  load: (flags: readonly string[]) => Promise<ExecResult>;
}

/** pg_cron, and others that copy its words. */
const ONE_DATABASE = /can only (?:create extension|be (?:installed|created)) in/;

const WORDS: Record<Relaxation, string> = {
  transactions: 'in several transactions, because one needs more locks than max_locks_per_transaction allows',
  own_name: 'under its own name, because an extension can exist in the database of that name only',
  search_path: 'with the search_path of its schemas for functions that use names without a schema',
};

/**
 * Loads a dump strictly, then relaxed as far as its errors require. Each try starts with a fresh database that is not in
 * use. Resolves with the last result and how it was loaded, as text; null: strictly.
 */
export async function loadDump({ prepare, load }: Load): Promise<ExecResult & { relaxed: string | null }> {
  const relaxed: Relaxation[] = [];
  for (;;) {
    await prepare(relaxed);
    const single = relaxed.includes('transactions') ? [] : ['--single-transaction'];
    const result = await load(['--exit-on-error', ...single]);
    const next = result.exitCode === 0 ? null : relaxationFor(result.stderr);
    if (next === null || relaxed.includes(next)) {
      return { ...result, relaxed: relaxed.length === 0 ? null : relaxed.map((one) => WORDS[one]).join(', and ') };
    }
    relaxed.push(next);
  }
}

/** Pure. Null: no way is known to load what failed. */
export function relaxationFor(stderr: string): Relaxation | null {
  if (/out of shared memory/.test(stderr)) return 'transactions';
  if (ONE_DATABASE.test(stderr)) return 'own_name';
  if (/ERROR: +(?:function|type|operator|relation) .* does not exist/.test(stderr)) return 'search_path';
  return null;
}

/** Pure: pg_restore's words with what the operator can do. */
export function explainLoad(stderr: string): string {
  const words = stderr.trim().slice(-1000);
  const advice = ADVICE.find(([pattern]) => pattern.test(stderr))?.[1];
  return advice === undefined ? words : `${advice} ${words}`;
}

const ADVICE: [RegExp, string][] = [
  [
    /No space left on device/,
    'The disk of the database server is full: a restore needs the space of the databases once more. Make room on it, then restore again.',
  ],
  [
    ONE_DATABASE,
    'The dump has an extension that can exist in only one database, and the server is configured for another one. Set that name for the server (cron.database_name for pg_cron), restart it, then restore again.',
  ],
  [
    /ERROR: +(?:function|type|operator|relation) .* does not exist/,
    'A function or an index uses a name without its schema. Write the schema in that function (ALTER FUNCTION … SET search_path = …), then take a new backup.',
  ],
  [
    /out of shared memory/,
    'The server has too few locks: raise max_locks_per_transaction, restart it, then restore again.',
  ],
];
