import { Readable } from 'node:stream';
import { endsAsPgDumpallDoes } from '../../backups/sources/postgres-source';
import type { Finding } from '../../backups/sources/item-source';
import { BOUNDS } from '../../domain/bounds';
import { PilotError } from '../../domain/errors';
import { readWithin } from '../../lib/streams/read-within';
import type { Engine } from '../../ports/engine';
import { missingRoles } from './missing-roles';
import { LIST_ROLES, LIST_TABLESPACES } from './postgres-sql';
import { psqlOf } from './psql';

/** Collects the script of a set's roles while it is verified. */
export function roleScript(): {
  verify: (content: AsyncIterable<Buffer>) => Promise<Finding>;
  statements: () => string;
} {
  let script: Buffer = Buffer.alloc(0);
  return {
    verify: async (content) => {
      script = await readWithin(Readable.from(content), BOUNDS.databaseGlobals);
      return endsAsPgDumpallDoes(Readable.from([script]));
    },
    statements: () => script.toString(),
  };
}

/** Throws `restore_refused` for a script of which a statement is unknown, or whose tablespaces the server does not have. */
export async function checkRoles(engine: Engine, server: { id: string; name: string }, script: string): Promise<void> {
  const psql = await psqlOf(engine, server);
  const { tablespaces } = missingRoles(script, new Set(await psql.list(LIST_ROLES)));
  if (tablespaces.length > 0) refuseTablespaces(server.name, tablespaces, await psql.list(LIST_TABLESPACES));
}

export function refuseTablespaces(server: string, needed: readonly string[], there: readonly string[]): void {
  const absent = needed.filter((name) => !there.includes(name));
  if (absent.length === 0) return;
  throw new PilotError(
    'restore_refused',
    `${server} has no tablespace ${absent.join(', ')}, which the set uses: create it first (CREATE TABLESPACE), then restore again.`,
  );
}
