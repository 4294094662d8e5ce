import { Readable } from 'node:stream';
import type { DumpedServer } from '../../backups/backup-set';
import { feedCommand } from '../../backups/sources/postgres-source';
import { conninfo } from '../../probes/postgres-probe';
import { verifyItem } from '../../backups/store-item';
import type { BackupItem } from '../../domain/backups/backup';
import { PilotError } from '../../domain/errors';
import type { Progress } from '../../lib/logger';
import type { Engine } from '../../ports/engine';
import { readItem, type PinnedStorage } from '../pinned-storage';
import { roleScript } from '../databases/check-databases';
import { dumpedMajor } from '../databases/dump-header';
import { explainLoad, loadInto } from '../databases/load-dump';
import { missingRoles } from '../databases/role-statement';
import {
  applyProperties,
  COUNT_ROWS,
  createDatabase,
  dropDatabase,
  endConnections,
  LIST_ROLES,
} from '../databases/postgres-sql';
import { psqlOf, type Psql } from '../databases/psql';
import type { Server } from './throwaway-server';

export interface DrillParts {
  engine: Engine;
  storage: PinnedStorage;
  onProgress: Progress;
}

export const ADVICE = 'Look at the backup storage.';

/** `lasting`: the server stays, so what the dumps run must gain no rights, and it gets all of its roles and statistics. */
export type Purpose = 'trial' | 'lasting';

/** Roles, then every database as a restore does it, each counted; resolves with the counts as text. */
export async function restoreInto(
  parts: DrillParts,
  server: Server,
  dumped: DumpedServer,
  purpose: Purpose = 'trial',
): Promise<string[]> {
  const psql = await psqlOf(parts.engine, server);
  for (const item of dumped.roles) await createRoles(parts, psql, item, purpose);
  const counted: string[] = [];
  for (const item of dumped.databases) {
    const title = `database ${item.name} of ${item.container}`;
    parts.onProgress(`loading ${title}`);
    const relaxed = await restoreDump(parts, server, psql, { item, purpose });
    if (purpose === 'lasting') await psql.script(ANALYZE, item.name);
    const how = relaxed === null ? '' : `, loaded ${relaxed}`;
    counted.push(`${title} (${await count(parts, server, psql, item)}${how})`);
    // Last, since a database may be set to take no writes, or to end long statements.
    if (item.database) await psql.run(applyProperties(item.name, item.database));
  }
  return counted;
}

/** Whatever a role of the set has as its own limits. */
const ANALYZE = 'SET statement_timeout = 0; SET lock_timeout = 0; ANALYZE;';

async function createRoles(parts: DrillParts, psql: Psql, item: BackupItem, purpose: Purpose): Promise<void> {
  const script = roleScript();
  await verifyItem(parts, { title: `roles of ${item.container}`, advice: ADVICE, verify: script.verify }, item);
  const there = new Set(await psql.list(LIST_ROLES));
  const { statements } = missingRoles(script.statements(), there, { existing: purpose === 'lasting' });
  if (statements.length > 0) await psql.script(`${statements.join(';\n')};\n`);
}

/** The bytes are checked before they are fed: what a dump says is run. Resolves with how it was loaded; null: strictly. */
async function restoreDump(
  parts: DrillParts,
  { id }: Server,
  psql: Psql,
  { item, purpose }: { item: BackupItem; purpose: Purpose },
): Promise<string | null> {
  const title = `database ${item.name} of ${item.container}`;
  await verifyItem(parts, { title, advice: ADVICE }, item);
  const result = await loadInto(psql, {
    create: async () => {
      const create = createDatabase(item.name, item.database ?? null);
      await psql.run([endConnections(item.name), dropDatabase(item.name), create]);
      return item.name;
    },
    dumped: dumpedMajor(parts.storage.headOf(item.key)),
    properties: item.database,
    guard: purpose === 'lasting',
    feed: async (command, env) => {
      const input = await readItem(parts.storage, item);
      return feedCommand(input, (fed) => parts.engine.execInput(id, command, fed, { env }));
    },
    // They are folders of the server's host, which a throwaway has not got.
    options: ['--no-tablespaces'],
  });
  if (result.exitCode !== 0)
    throw drillError(`The stored dump of ${title} is intact, but could not be restored`, explainLoad(result.stderr));
  return result.relaxed;
}

/** `3 tables, 120 rows` of one database of a server. */
export async function count(
  { engine }: Pick<DrillParts, 'engine'>,
  { id }: Server,
  psql: Psql,
  item: BackupItem,
): Promise<string> {
  const { user, env } = psql.login;
  const quiet = ['psql', '-X', '-w', '-q', '-At', '-v', 'ON_ERROR_STOP=1'];
  const command = [...quiet, '-U', user, '-d', conninfo(item.name), '-f', '-'];
  const input = Readable.from([Buffer.from(COUNT_ROWS)]);
  const { exitCode, stdout, stderr } = await engine.execInput(id, command, input, { env });
  if (exitCode !== 0)
    throw drillError(
      `Database ${item.name} of ${item.container} was restored, but its rows could not be counted`,
      stderr,
    );
  const [tables, rows] = stdout.trim().split('|').map(Number);
  return `${tables === 1 ? '1 table' : `${tables} tables`}, ${rows === 1 ? '1 row' : `${rows} rows`}`;
}

function drillError(what: string, stderr: string): PilotError {
  return new PilotError('drill_failed', `${what}: ${stderr.trim().slice(-1400)}`);
}
