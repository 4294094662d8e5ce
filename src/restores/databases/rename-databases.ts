import type { Clock } from '../../lib/clock';
import {
  dropDatabase,
  endConnections,
  LIST_DATABASES,
  placeLoadedStatements,
  lendNameStatements,
  giveNameBackStatements,
  type SwapNames,
} from './postgres-sql';
import type { Psql } from './psql';

/** How often a client that comes back at once is disconnected again. */
const TRIES = 5;
const BETWEEN_TRIES_MS = 500;

type StatementsFor = (names: readonly SwapNames[], there: ReadonlySet<string>) => string[];

/** All renames of a server in one transaction. Nothing to do is fine. */
export async function inTransaction(
  clock: Pick<Clock, 'sleep'>,
  psql: Psql,
  names: readonly SwapNames[],
  statementsFor: StatementsFor,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const statements = statementsFor(names, new Set(await psql.list(LIST_DATABASES)));
    if (statements.length === 0) return;
    try {
      await psql.run(names.flatMap(({ name, fresh, before }) => [name, fresh, before].map(endConnections)));
      return await psql.transaction(statements);
    } catch (error) {
      if (tries === TRIES || !/is being accessed by other users/.test(String(error))) throw error;
      await clock.sleep(BETWEEN_TRIES_MS);
    }
  }
}

/**
 * An extension that can exist in only one database (pg_cron) looks for the name of that database. So the running database
 * lends its name: it is renamed, and the dump is loaded into one of that name. False: there is no database to lend it.
 * The caller ends with `placeLoaded` or `giveNameBack`; after a crash `giveNameBack` finds by the names what to do.
 */
export async function lendName(clock: Pick<Clock, 'sleep'>, psql: Psql, names: SwapNames): Promise<boolean> {
  if (!(await psql.list(LIST_DATABASES)).includes(names.name)) return false;
  await inTransaction(clock, psql, [names], lendNameStatements);
  return true;
}

/** What was loaded becomes the fresh one, and the running one has its name again. */
export async function placeLoaded(clock: Pick<Clock, 'sleep'>, psql: Psql, names: SwapNames): Promise<void> {
  await inTransaction(clock, psql, [names], placeLoadedStatements);
}

/** Before any swap: the running database has its name again; what was loaded under it is dropped. Not lent is fine. */
export async function giveNameBack(clock: Pick<Clock, 'sleep'>, psql: Psql, names: SwapNames): Promise<void> {
  if (!(await psql.list(LIST_DATABASES)).includes(names.before)) return;
  await psql.run([endConnections(names.name), dropDatabase(names.name)]);
  await inTransaction(clock, psql, [names], giveNameBackStatements);
}
