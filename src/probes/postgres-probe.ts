import { codeOf, messageOf } from '../domain/errors';
import { execAll } from './exec-probe';
import { conninfo, readPostgresLogin, type PostgresLogin } from './postgres-login';
import { notYet, type Probe, type ProbeTarget } from './probe';

/**
 * The server accepts connections where it is configured to and answers a query, with the login that the backup uses: user
 * and password may be files, and the socket may want the password. The server of the entrypoint's first start is not it.
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

async function askServer(
  target: ProbeTarget,
  { user, database, env, listener }: PostgresLogin,
): ReturnType<Probe['ask']> {
  if (listener?.initialising === true) return notYet('the entrypoint still sets up the data folder of PostgreSQL');
  const address = listener === null ? '127.0.0.1' : (listener.address ?? listener.socket);
  const where = address === null ? [] : ['-h', address];
  const commands = [
    ['pg_isready', '-q', ...where, '-U', user, '-d', conninfo(database)],
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
