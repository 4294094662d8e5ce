import { Readable } from 'node:stream';
import { conninfo, readPostgresLogin, UTF8, type PostgresLogin } from '../../probes/postgres-probe';
import { PilotError } from '../../domain/errors';
import type { Engine } from '../../ports/engine';

/** There on every server, and never one that changes its name. */
const MAINTENANCE = 'template1';
/** A server may read backslashes otherwise. */
const LITERALS_AS_WRITTEN = 'SET standard_conforming_strings = on;\n';

/** Statements asked of a server as its own superuser, through its own `psql`. Rejects with `restore_failed` and its words. */
export interface Psql {
  login: PostgresLogin;
  /** The first column of what comes back. */
  list(query: string): Promise<string[]>;
  /** Each in its own transaction. */
  run(statements: readonly string[]): Promise<void>;
  /** All or none. Nothing to do is fine. */
  transaction(statements: readonly string[]): Promise<void>;
  /** Whether a client in its container needs the password. */
  asksPassword(): Promise<boolean>;
  /** All or none, fed as a script: what is in it appears in no list of processes. `database`: left out, none of a set's. */
  script(sql: string, database?: string): Promise<void>;
}

export async function psqlOf(engine: Engine, server: { id: string; name: string }): Promise<Psql> {
  const login = await readPostgresLogin(engine, await engine.inspectContainer(server.id));
  const client = ['psql', '-X', '-w', '-q', '-v', 'ON_ERROR_STOP=1', '-U', login.user];
  const command = [...client, '-d', conninfo(MAINTENANCE)];
  const env = [...login.env, UTF8];
  const checked = ({ exitCode, stdout, stderr }: { exitCode: number; stdout: string; stderr: string }): string => {
    if (exitCode === 0) return stdout;
    throw new PilotError('restore_failed', `PostgreSQL of ${server.name} refused: ${stderr.trim().slice(0, 1000)}`);
  };
  const ask = async (more: readonly string[]): Promise<string> =>
    checked(await engine.exec(server.id, [...command, ...more], { env }));
  const each = (statements: readonly string[]): string[] => statements.flatMap((statement) => ['-c', statement]);
  return {
    login,
    list: async (query) => (await ask(['-At', '-0', '-c', query])).split('\0').filter((value) => value !== ''),
    run: async (statements) => void (statements.length > 0 && (await ask(each(statements)))),
    transaction: async (statements) =>
      void (statements.length > 0 && (await ask(['--single-transaction', ...each(statements)]))),
    asksPassword: async () => {
      const without = env.filter((line) => !line.startsWith('PGPASSWORD='));
      if (without.length === env.length) return false;
      return (await engine.exec(server.id, [...command, '-c', 'SELECT 1'], { env: without })).exitCode !== 0;
    },
    script: async (sql, database = MAINTENANCE) => {
      const input = Readable.from([Buffer.from(`${LITERALS_AS_WRITTEN}${sql}`)]);
      const script = [...client, '-d', conninfo(database), '--single-transaction', '-f', '-'];
      checked(await engine.execInput(server.id, script, input, { env }));
    },
  };
}
