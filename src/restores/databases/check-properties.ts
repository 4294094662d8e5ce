import type { DatabaseProperties } from '../../domain/backups/backup';
import { PilotError } from '../../domain/errors';
import { literal } from '../../lib/sql-quoting';
import type { Engine } from '../../ports/engine';
import { applyProperties, createDatabase } from './postgres-sql';
import { psqlOf } from './psql';

/** Throws `restore_refused` for settings and grants of a database that its server would refuse after the load. */
export async function checkProperties(
  engine: Engine,
  server: { id: string; name: string },
  database: string,
  properties: DatabaseProperties,
): Promise<void> {
  createDatabase(database, properties);
  applyProperties(database, properties);
  const names = plainNames(properties);
  if (names.length === 0) return;
  const unknown = await (await psqlOf(engine, server)).list(unknownSettings(names));
  if (unknown.length === 0) return;
  throw new PilotError(
    'restore_refused',
    `The set has settings of database ${database} that ${server.name} does not know: ${unknown.join(', ')}. Nothing was stopped. Run the version of PostgreSQL that the set was taken from, restore, and upgrade afterwards.`,
  );
}

/** A name with a dot belongs to an extension, which may be loaded later: the server accepts any. */
function plainNames({ settings }: DatabaseProperties): string[] {
  const names = (settings ?? []).flatMap(({ config }) => config.map((entry) => entry.slice(0, entry.indexOf('='))));
  return [...new Set(names)].filter((name) => !name.includes('.'));
}

export function unknownSettings(names: readonly string[]): string {
  const asked = names.map((name) => `(${literal(name).trim()})`).join(', ');
  return `SELECT name FROM (VALUES ${asked}) asked(name) WHERE pg_catalog.current_setting(name, true) IS NULL`;
}
