import { environmentOf } from '../domain/environment';
import type { Probe, ProbeTarget } from './probe';
import { execAll } from './exec-probe';

/** The server accepts connections over TCP (its first start listens on a socket alone) and answers a query. */
export function postgresProbe(target: ProbeTarget): Probe {
  const environment = environmentOf(target.container.Config.Env);
  const user = environment.get('POSTGRES_USER') ?? 'postgres';
  const database = environment.get('POSTGRES_DB') ?? user;
  return {
    question: 'pg_isready and SELECT 1 in the container',
    ask: () =>
      execAll(
        target,
        [
          ['pg_isready', '-q', '-h', '127.0.0.1', '-U', user, '-d', database],
          ['psql', '-X', '-q', '-U', user, '-d', database, '-c', 'SELECT 1'],
        ],
        'PostgreSQL accepts connections and answers a query',
      ),
  };
}
