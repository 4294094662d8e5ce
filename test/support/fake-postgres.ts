import { randomBytes } from 'node:crypto';
import type { CommandCall, ImageSpec, Outcome } from './fake-engine-types';

/** A PostgreSQL server for the fake engine: its tools behave as the real ones do towards a backup. */
export function fakePostgres(
  databases: Record<string, Buffer> = { app: aDump('app'), postgres: aDump('postgres') },
): ImageSpec {
  const whole = new Set(Object.values(databases).map((dump) => dump.toString('latin1')));
  const restored = ({ stdin }: CommandCall): Outcome =>
    whole.has(stdin.toString('latin1'))
      ? { exitCode: 0 }
      : { exitCode: 1, stderr: 'pg_restore: error: could not read from input file: end of file' };
  return {
    config: { Env: ['PG_MAJOR=15'], Volumes: { '/var/lib/postgresql/data': {} } },
    scripts: {
      'psql *': (call) => ({ stdout: toldBy(Object.keys(databases), call) }),
      'pg_isready *': {},
      'pg_restore -w *': restored,
      'pg_dumpall *': { stdout: `CREATE ROLE app;\n--\n-- PostgreSQL database cluster dump complete\n--\n\n` },
      'pg_dump *': ({ command }) => dumpOf(databases, command),
      'pg_restore -f /dev/null': restored,
    },
  };
}

/** What a drill counts in any of its databases. */
export const COUNTED = '3|120';

function toldBy(databases: string[], { command, stdin }: CommandCall): string {
  const asked = command.at(-1) ?? '';
  if (asked.startsWith('SELECT json_build_object')) return `${JSON.stringify(PROPERTIES)}\n`;
  if (asked.includes('FROM pg_database')) return `${databases.join('\0')}\0`;
  if (asked.includes('FROM pg_roles')) return 'postgres\0';
  return stdin.includes('diun_pilot_counted') ? `${COUNTED}\n` : '';
}

const PROPERTIES = {
  ...{ owner: 'app', encoding: 'UTF8', collate: 'C.UTF-8', ctype: 'C.UTF-8', provider: 'c', locale: null, rules: null },
  ...{ connectionLimit: -1, settings: null, grants: null },
};

/** Large enough to come in several pieces. */
export function aDump(name: string): Buffer {
  return Buffer.concat([Buffer.from(`PGDMP ${name}`), randomBytes(200_000)]);
}

function dumpOf(databases: Record<string, Buffer>, command: string[]): Outcome {
  const conninfo = command.at(-1) ?? '';
  const name = /^dbname='(.*)'$/s.exec(conninfo)?.[1]?.replace(/\\(.)/gs, '$1') ?? '';
  const dump = databases[name];
  return dump === undefined
    ? { exitCode: 1, stderr: `pg_dump: error: database "${name}" does not exist` }
    : { exitCode: 0, stdout: dump };
}
