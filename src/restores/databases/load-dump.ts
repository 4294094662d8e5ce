import { IS_SUPERUSER } from '../../backups/sources/dump-rights';
import type { ExecResult } from '../../ports/engine';
import type { Psql } from './psql';
import { GUARD_SCHEMA, WITHOUT_EVENT_TRIGGERS } from './scratch-names';

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

/**
 * While rows are loaded, the functions of CHECK constraints, domains and generated columns run as the superuser that
 * restores (measured, 15.18: a plain role became superuser). So each function of a role that is not a superuser runs as
 * its owner until the load has ended: `ALTER FUNCTION … OWNER TO` of the dump is followed by SECURITY DEFINER.
 */
const GUARD = `CREATE SCHEMA ${GUARD_SCHEMA};
CREATE TABLE ${GUARD_SCHEMA}.guarded (function oid PRIMARY KEY);
CREATE FUNCTION ${GUARD_SCHEMA}.guard() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $guard$
DECLARE one oid;
BEGIN
  FOR one IN SELECT p.oid FROM pg_event_trigger_ddl_commands() c
      JOIN pg_proc p ON c.classid = 'pg_proc'::regclass AND p.oid = c.objid
      JOIN pg_roles r ON r.oid = p.proowner
      WHERE NOT c.in_extension AND NOT p.prosecdef AND NOT r.rolsuper
  LOOP
    INSERT INTO ${GUARD_SCHEMA}.guarded VALUES (one) ON CONFLICT DO NOTHING;
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER', one::regprocedure);
  END LOOP;
END $guard$;
CREATE EVENT TRIGGER ${GUARD_SCHEMA} ON ddl_command_end WHEN TAG IN ('CREATE FUNCTION', 'ALTER FUNCTION')
  EXECUTE PROCEDURE ${GUARD_SCHEMA}.guard();
ALTER EVENT TRIGGER ${GUARD_SCHEMA} ENABLE ALWAYS;
`;

/** Each function is as the dump has it again, and nothing of the guard is left. */
export const END_GUARD = `SET client_min_messages = warning;
${WITHOUT_EVENT_TRIGGERS}
DROP EVENT TRIGGER ${GUARD_SCHEMA};
DO $guard$
DECLARE one oid;
BEGIN
  FOR one IN SELECT p.oid FROM ${GUARD_SCHEMA}.guarded g JOIN pg_catalog.pg_proc p ON p.oid = g.function LOOP
    EXECUTE pg_catalog.format('ALTER FUNCTION %s SECURITY INVOKER', one::pg_catalog.regprocedure);
  END LOOP;
END $guard$;
DROP SCHEMA ${GUARD_SCHEMA} CASCADE;
`;

/** Guards a fresh database before a dump is loaded into it. False: the restoring role is not a superuser, so there is nothing to gain. */
export async function guardLoad(psql: Psql, database: string): Promise<boolean> {
  if ((await psql.list(IS_SUPERUSER)).length === 0) return false;
  await psql.script(GUARD, database);
  return true;
}

/** Version 1.15 of the format (PostgreSQL 16) stores the kind of compression in one byte, earlier ones its level as a number. */
const COMPRESSION_IN_ONE_BYTE = 15;
const NUMBERS_OF_TIME = 7;

/**
 * The major version of the server that a dump in the custom format was taken from, read from its first bytes; null when
 * they tell none (pg_backup_archiver.c, `ReadHead`).
 */
export function dumpedMajor(head: Buffer): number | null {
  if (head.subarray(0, 5).toString('latin1') !== 'PGDMP' || head.length < 11) return null;
  const reader = { at: 11, intSize: head[8] ?? 4 };
  const minor = head[6] ?? 0;
  reader.at += minor >= COMPRESSION_IN_ONE_BYTE ? 1 : reader.intSize + 1;
  reader.at += NUMBERS_OF_TIME * (reader.intSize + 1);
  readText(head, reader); // the database's name
  return majorOf(readText(head, reader));
}

/** `15.10 (Debian 15.10-0+deb12u1)` */
function majorOf(version: string | null): number | null {
  const major = /^(\d+)/.exec(version ?? '')?.[1];
  return major === undefined ? null : Number(major);
}

function readText(head: Buffer, reader: { at: number; intSize: number }): string | null {
  const negative = head[reader.at] === 1;
  const digits = head.subarray(reader.at + 1, reader.at + 1 + reader.intSize);
  const length = digits.reduceRight((sum, digit) => sum * 256 + digit, 0);
  reader.at += 1 + reader.intSize;
  if (negative || reader.at + length > head.length) return null;
  reader.at += length;
  return head.subarray(reader.at - length, reader.at).toString('utf8');
}
