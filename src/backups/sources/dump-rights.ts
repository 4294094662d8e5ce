import { PilotError } from '../../domain/errors';
import { identifier } from '../../lib/sql-quoting';

/** One row, or none. */
export const IS_SUPERUSER = 'SELECT rolname FROM pg_roles WHERE rolname = current_user AND rolsuper';

/** What is missing, by the words of the server, and the statement that grants it to a user. */
const MISSING: [RegExp, (words: RegExpExecArray, user: string) => [what: string, grant: string]][] = [
  [
    /permission denied for table pg_authid/,
    (_, user) => ['the passwords of the roles (pg_authid)', `GRANT SELECT ON pg_catalog.pg_authid TO ${user}`],
  ],
  [
    /permission denied for database "?([^"\n]+)"?/,
    ([, name = ''], user) => [`database ${name}`, `GRANT CONNECT ON DATABASE ${identifier(name)} TO ${user}`],
  ],
  [
    /row-level security policy for table "?([^"\n]+)"?/,
    ([, name], user) => [`every row of table ${name}`, `ALTER ROLE ${user} BYPASSRLS`],
  ],
  [
    /permission denied for (table|relation|sequence|view|schema) ([^\s;]+)/,
    ([, kind, name], user) => [`${kind} ${name}`, `GRANT pg_read_all_data TO ${user}`],
  ],
];

/**
 * Pure. Whether a dump failed because its user may not read something, and what the operator can do; null: it failed for
 * another reason. Nothing is left out of a dump for that: a restore would not be whole.
 */
export function explainRights(words: string, user: string, server: string): string | null {
  if (!/permission denied|must be superuser|row-level security/i.test(words)) return null;
  const role = identifier(user);
  const found = MISSING.flatMap(([pattern, missing]) => {
    const match = pattern.exec(words);
    return match === null ? [] : [missing(match, role)];
  })[0];
  const [what, grant] = found ?? ['everything', null];
  const less = grant === null ? '' : `, or at least: ${grant}`;
  return `User ${user} (POSTGRES_USER of ${server}) is not a superuser and may not read ${what}, so a restore would be incomplete. As a superuser of ${server} run: ALTER ROLE ${role} SUPERUSER${less}.`;
}

/** pg_dump leaves these out with a warning alone when its user is not a superuser (measured, PostgreSQL 15). */
export const HIDDEN_OBJECTS = `SELECT 'subscription ' || subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
    WHERE d.datname = current_database()
  UNION ALL SELECT 'user mapping of ' || usename || ' for server ' || srvname FROM pg_user_mappings
    WHERE umoptions IS NULL AND usename <> current_user`;

export function refuseHidden(hidden: readonly string[], database: string, user: string, server: string): void {
  if (hidden.length === 0) return;
  throw new PilotError(
    'backup_failed',
    `Database ${database} of ${server} could not be backed up whole: user ${user} (POSTGRES_USER) is not a superuser, so pg_dump leaves out ${hidden.join(', ')}. As a superuser of ${server} run: ALTER ROLE ${identifier(user)} SUPERUSER.`,
  );
}
