import { Readable } from 'node:stream';
import type { DumpedServer } from '../../backups/dumped-servers';
import { feedCommand } from '../../backups/sources/feed-command';
import { conninfo } from '../../probes/postgres-login';
import type { Finding } from '../../backups/sources/item-source';
import { endsAsPgDumpallDoes } from '../../backups/sources/postgres-source';
import { verifyItem } from '../../backups/verify-item';
import { BOUNDS } from '../../domain/bounds';
import type { BackupItem } from '../../domain/backup';
import { PilotError } from '../../domain/errors';
import { readWithin } from '../../lib/read-within';
import type { Progress } from '../../lib/progress';
import type { Engine } from '../../ports/engine';
import { readItem } from '../read-item';
import type { PinnedStorage } from '../pinned-storage';
import { missingRoles } from '../databases/missing-roles';
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

/** Roles, then every database as a restore does it, each counted; resolves with the counts in words. */
export async function restoreInto(parts: DrillParts, server: Server, dumped: DumpedServer): Promise<string[]> {
  const psql = await psqlOf(parts.engine, server);
  for (const item of dumped.roles) await createRoles(parts, psql, item);
  const counted: string[] = [];
  for (const item of dumped.databases) {
    await psql.run([
      endConnections(item.name),
      dropDatabase(item.name),
      createDatabase(item.name, item.database ?? null),
    ]);
    await restoreDump(parts, server, psql, item);
    counted.push(`database ${item.name} of ${item.container} (${await count(parts, server, psql, item)})`);
    // Last, since a database may be set to take no writes, or to end long statements.
    if (item.database) await psql.run(applyProperties(item.name, item.database));
  }
  return counted;
}

async function createRoles(parts: DrillParts, psql: Psql, item: BackupItem): Promise<void> {
  let script = '';
  const verify = async (content: AsyncIterable<Buffer>): ReturnType<typeof endsAsPgDumpallDoes> => {
    script = (await readWithin(Readable.from(content), BOUNDS.databaseGlobals)).toString();
    return endsAsPgDumpallDoes(Readable.from([Buffer.from(script)]));
  };
  await verifyItem(parts, { title: `roles of ${item.container}`, advice: ADVICE, verify }, item);
  const { statements } = missingRoles(script, new Set(await psql.list(LIST_ROLES)));
  if (statements.length > 0) await psql.script(`${statements.join(';\n')};\n`);
}

/** The bytes are checked before they are fed: what a dump says is run. */
async function restoreDump(parts: DrillParts, { id }: Server, psql: Psql, item: BackupItem): Promise<void> {
  const title = `database ${item.name} of ${item.container}`;
  const { user, env } = psql.login;
  // Tablespaces are folders of the server's host, which a throwaway has not got.
  const flags = ['--exit-on-error', '--single-transaction', '--no-tablespaces'];
  const command = ['pg_restore', '-w', '-U', user, '-d', conninfo(item.name), ...flags];
  await verifyItem(parts, { title, advice: ADVICE, verify: readAll }, item);
  const input = await readItem(parts.storage, item);
  const result = await feedCommand(input, (fed) => parts.engine.execInput(id, command, fed, { env }));
  if (result.exitCode !== 0)
    throw failed(`The stored bytes of ${title} are whole, but it could not be restored`, result.stderr);
}

async function readAll(content: AsyncIterable<Buffer>): Promise<Finding> {
  for await (const chunk of content) void chunk;
  return { whole: true, words: '' };
}

async function count({ engine }: DrillParts, { id }: Server, psql: Psql, item: BackupItem): Promise<string> {
  const { user, env } = psql.login;
  const quiet = ['psql', '-X', '-w', '-q', '-At', '-v', 'ON_ERROR_STOP=1'];
  const command = [...quiet, '-U', user, '-d', conninfo(item.name), '-f', '-'];
  const input = Readable.from([Buffer.from(COUNT_ROWS)]);
  const { exitCode, stdout, stderr } = await engine.execInput(id, command, input, { env });
  if (exitCode !== 0)
    throw failed(`Database ${item.name} of ${item.container} was restored, but its rows could not be counted`, stderr);
  const [tables, rows] = stdout.trim().split('|').map(Number);
  return `${tables === 1 ? '1 table' : `${tables} tables`}, ${rows === 1 ? '1 row' : `${rows} rows`}`;
}

function failed(what: string, stderr: string): PilotError {
  return new PilotError('drill_failed', `${what}: ${stderr.trim().slice(-1000)}`);
}
