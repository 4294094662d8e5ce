import { codeOf, messageOf } from '../domain/errors';
import { execAll } from './exec-probe';
import { conninfo, readPostgresLogin, type PostgresLogin } from './postgres-login';
import { notYet, type Probe, type ProbeTarget } from './probe';

/**
 * The server accepts connections over TCP (its first start listens on a socket alone) and answers a query, asked with the
 * login that the backup uses: user and password may be files, and the socket may want the password.
 */
export function postgresProbe(target: ProbeTarget): Probe {
  return {
    question: 'pg_isready and SELECT 1 in the container',
    ask: async () => {
      const login = await loginOf(target);
      return 'failure' in login ? notYet(login.failure) : askServer(target, login);
    },
  };
}

function askServer(target: ProbeTarget, { user, database, env }: PostgresLogin): ReturnType<Probe['ask']> {
  const commands = [
    ['pg_isready', '-q', '-h', '127.0.0.1', '-U', user, '-d', conninfo(database)],
    ['psql', '-X', '-q', '-w', '-U', user, '-d', conninfo(database), '-c', 'SELECT 1'],
  ];
  return execAll({ target, commands, env, success: 'PostgreSQL accepts connections and answers a query' });
}

/** A container that cannot be read now may be restarting: an answer like any other. */
async function loginOf({ engine, container }: ProbeTarget): Promise<PostgresLogin | { failure: string }> {
  try {
    return await readPostgresLogin(engine, container);
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    return { failure: messageOf(error) };
  }
}
