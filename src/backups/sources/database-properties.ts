import { z } from 'zod';
import { DATABASE_PRIVILEGES, type DatabaseProperties } from '../../domain/backups/backup';
import { BOUNDS } from '../../domain/bounds';
import { readWithin } from '../../lib/streams';
import { literal } from '../../lib/sql-quoting';
import type { Engine } from '../../ports/engine';
import { conninfo, UTF8, type PostgresLogin } from '../../probes/postgres-probe';

/** Of PostgreSQL: of any characters but a zero byte. */
const value = z
  .string()
  .max(1024 * 1024)
  .refine((text) => !text.includes('\0'), 'has a zero byte');
const name = value.max(255);
const setting = value.regex(/^[^=]+=/, 'is not NAME=VALUE');

export const databaseProperties = z.object({
  owner: name,
  encoding: name,
  collate: name,
  ctype: name,
  provider: z.string().max(1).nullable(),
  locale: name.nullable(),
  rules: value.nullable(),
  comment: value.nullable().optional(),
  connectionLimit: z.number().int().min(-2).max(2_147_483_647),
  settings: z.array(z.object({ role: name.nullable(), config: z.array(setting) })).nullable(),
  grants: z
    .array(z.object({ grantee: name.nullable(), privilege: z.enum(DATABASE_PRIVILEGES), grantable: z.boolean() }))
    .nullable(),
  ownerOfPublic: name.nullable().optional(),
}) satisfies z.ZodType<DatabaseProperties>;

/** Null: the server has no such database. Rejects with `exec_failed`. */
export async function readProperties(
  engine: Engine,
  serverId: string,
  login: PostgresLogin,
  database: string,
): Promise<DatabaseProperties | null> {
  const query = propertiesQuery(literal(database));
  const command = ['psql', '-X', '-w', '-U', login.user, '-d', conninfo(login.database), '-At', '-c', query];
  const output = await engine.execOutput(serverId, command, { env: [...login.env, UTF8] });
  const text = (await readWithin(output, BOUNDS.databaseCatalog)).toString().trim();
  return text === '' ? null : databaseProperties.parse(JSON.parse(text));
}

/** One line of JSON for a database; columns that a version of PostgreSQL has not got are null (pg_database, 13 to 18). */
function propertiesQuery(database: string): string {
  return `SELECT json_build_object(
    'owner', pg_get_userbyid(d.datdba), 'encoding', pg_encoding_to_char(d.encoding),
    'collate', d.datcollate, 'ctype', d.datctype, 'provider', to_jsonb(d)->>'datlocprovider',
    'locale', coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'),
    'rules', to_jsonb(d)->>'daticurules', 'connectionLimit', d.datconnlimit,
    'comment', shobj_description(d.oid, 'pg_database'),
    'settings', (SELECT json_agg(json_build_object('config', s.setconfig,
      'role', CASE WHEN s.setrole = 0 THEN NULL ELSE pg_get_userbyid(s.setrole) END))
      FROM pg_db_role_setting s WHERE s.setdatabase = d.oid),
    'grants', (SELECT json_agg(json_build_object('privilege', a.privilege_type, 'grantable', a.is_grantable,
      'grantee', CASE WHEN a.grantee = 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END))
      FROM aclexplode(d.datacl) a))
    FROM pg_database d WHERE d.datname = ${database}`;
}
