import { byteProgress } from '../../backups/byte-meter';
import { readProperties } from '../../backups/sources/database-properties';
import { feedCommand } from '../../backups/sources/postgres-source';
import type { Kept } from '../../domain/backups/restore';
import { asideDatabase } from '../../domain/backups/restore-artifact-names';
import { BOUNDS } from '../../domain/bounds';
import type { Container } from '../../domain/container';
import { PilotError } from '../../domain/errors';
import type { Clock } from '../../lib/clock';
import { readWithin } from '../../lib/streams';
import { readItem } from '../pinned-storage';
import type { Placed } from '../plan-restore';
import { dropDatabaseCommand } from '../removal-commands';
import type { RestoreRun } from '../restore-run';
import { refuseTablespaces } from './check-databases';
import { majorOfDump } from './dump-header';
import { explainLoad, loadInto } from './load-dump';
import {
  applyProperties,
  createDatabase,
  dropDatabase,
  endConnections,
  giveNameBackStatements,
  lendNameStatements,
  LIST_DATABASES,
  LIST_ROLES,
  LIST_TABLESPACES,
  placeLoadedStatements,
  swapStatements,
  undoStatements,
  type SwapNames,
} from './postgres-sql';
import { psqlOf, type Psql } from './psql';
import { missingRoles } from './role-statement';

/** Each database of the set, restored under a name of its own; what an earlier try left is dropped first. */
export async function stageDatabases(run: RestoreRun): Promise<void> {
  for (const placed of run.plan.roles) await createMissingRoles(run, placed);
  for (const placed of run.plan.databases) {
    const psql = await psqlOf(run.engine, placed.container);
    await giveNameBack(run.clock, psql, swapNamesOf(run, placed));
    await drop(psql, swapNamesOf(run, placed).fresh);
    await restoreStaged(run, psql, placed);
  }
}

/** All databases of a server at once, in one transaction. Done already is fine. */
export async function swapDatabases(run: RestoreRun): Promise<Kept[]> {
  const kept: Kept[] = [];
  for (const [server, names] of byServer(run)) {
    const psql = await psqlOf(run.engine, server);
    await inTransaction(run.clock, psql, names, swapStatements);
    const there = new Set(await psql.list(LIST_DATABASES));
    const login = { ...psql.login, asksPassword: await psql.asksPassword() };
    for (const { name, before } of names.filter((each) => there.has(each.before))) {
      const what = `database ${name} of ${server.name}, as ${before}`;
      kept.push({ what, remove: dropDatabaseCommand(server, login, before) });
    }
  }
  return kept;
}

export async function swapDatabasesBack(run: RestoreRun): Promise<void> {
  for (const [server, names] of byServer(run)) {
    await inTransaction(run.clock, await psqlOf(run.engine, server), names, undoStatements);
  }
}

/** Drops the staged databases. Before a swap, or after it was undone. */
export async function dropStaged(run: RestoreRun): Promise<void> {
  for (const [server, names] of byServer(run)) {
    const psql = await psqlOf(run.engine, server);
    for (const one of names) {
      await giveNameBack(run.clock, psql, one);
      await drop(psql, one.fresh);
    }
  }
}

async function createMissingRoles(run: RestoreRun, { item, container }: Placed): Promise<void> {
  const psql = await psqlOf(run.engine, container);
  const script = (await readWithin(await readItem(run.storage, item), BOUNDS.databaseGlobals)).toString();
  const { roles, statements, tablespaces } = missingRoles(script, new Set(await psql.list(LIST_ROLES)));
  refuseTablespaces(container.name, tablespaces, await psql.list(LIST_TABLESPACES));
  if (roles.length === 0) return;
  run.onProgress(`creating roles of ${container.name}: ${roles.join(', ')}`);
  await psql.script(`${statements.join(';\n')};\n`);
}

async function restoreStaged(run: RestoreRun, psql: Psql, placed: Placed): Promise<void> {
  const { item, container } = placed;
  const names = swapNamesOf(run, placed);
  const properties = item.database ?? (await readProperties(run.engine, container.id, psql.login, item.name));
  const say = byteProgress(run.onProgress, `restoring database ${item.name} of ${container.name}`);
  const dumped = await majorOfDump(await readItem(run.storage, item));
  let isLent = false;
  const result = await loadInto(psql, {
    create: async (relaxed) => {
      await giveNameBack(run.clock, psql, names);
      if (relaxed.length > 0) await drop(psql, names.fresh);
      isLent = relaxed.includes('own_name') && (await lendName(run.clock, psql, names));
      const database = isLent ? names.name : names.fresh;
      await psql.run([createDatabase(database, properties)]);
      return database;
    },
    dumped,
    properties: item.database,
    guard: true,
    feed: async (command, env) => {
      const content = counted(await readItem(run.storage, item), say);
      return feedCommand(content, (input) => run.engine.execInput(container.id, command, input, { env }));
    },
  });
  if (result.exitCode !== 0) {
    const message = `Database ${item.name} of ${container.name} could not be restored: ${explainLoad(result.stderr)}`;
    throw new PilotError('restore_failed', message);
  }
  if (isLent) await placeLoaded(run.clock, psql, names);
  if (properties !== null) await psql.run(applyProperties(names.fresh, properties));
}

async function* counted(content: AsyncIterable<Buffer>, say: (bytes: number) => void): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of content) {
    say((bytes += chunk.length));
    yield chunk;
  }
}

async function drop(psql: Psql, database: string): Promise<void> {
  await psql.run([endConnections(database), dropDatabase(database)]);
}

function swapNamesOf({ journal }: RestoreRun, { item, number }: Placed): SwapNames {
  const aside = (side: 'restore' | 'before'): string => asideDatabase(item.name, side, journal.mark, number);
  return { name: item.name, fresh: aside('restore'), before: aside('before') };
}

function byServer(run: RestoreRun): [Container, SwapNames[]][] {
  const servers = new Map(run.plan.databases.map(({ container }) => [container.id, container]));
  return [...servers.values()].map((server) => [
    server,
    run.plan.databases.filter(({ container }) => container.id === server.id).map((placed) => swapNamesOf(run, placed)),
  ]);
}

/** How often a client that comes back at once is disconnected again. */
const TRIES = 5;
const BETWEEN_TRIES_MS = 500;

type StatementsFor = (names: readonly SwapNames[], there: ReadonlySet<string>) => string[];

/** All renames of a server in one transaction. Nothing to do is fine. */
async function inTransaction(
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
async function lendName(clock: Pick<Clock, 'sleep'>, psql: Psql, names: SwapNames): Promise<boolean> {
  if (!(await psql.list(LIST_DATABASES)).includes(names.name)) return false;
  await inTransaction(clock, psql, [names], lendNameStatements);
  return true;
}

/** What was loaded becomes the fresh one, and the running one has its name again. */
async function placeLoaded(clock: Pick<Clock, 'sleep'>, psql: Psql, names: SwapNames): Promise<void> {
  await inTransaction(clock, psql, [names], placeLoadedStatements);
}

/** Before any swap: the running database has its name again; what was loaded under it is dropped. Not lent is fine. */
async function giveNameBack(clock: Pick<Clock, 'sleep'>, psql: Psql, names: SwapNames): Promise<void> {
  if (!(await psql.list(LIST_DATABASES)).includes(names.before)) return;
  await psql.run([endConnections(names.name), dropDatabase(names.name)]);
  await inTransaction(clock, psql, [names], giveNameBackStatements);
}
