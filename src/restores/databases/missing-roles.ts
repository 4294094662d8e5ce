import { readRoleStatement, type RoleStatement } from './role-statement';
import { splitSql } from './split-sql';

export interface MissingRoles {
  /** Names of roles that the server does not have. */
  roles: string[];
  /** What creates them, with their settings and memberships; nothing about a role that is there. */
  statements: string[];
  /** Tablespaces that the script creates: their folders are the operator's. */
  tablespaces: string[];
}

/**
 * Of a script by `pg_dumpall --globals-only`, what a server with the roles `there` still needs. Pure. Throws
 * `restore_refused` for a statement that pg_dumpall does not write.
 */
export function missingRoles(script: string, there: ReadonlySet<string>): MissingRoles {
  const read = splitSql(script).map(readRoleStatement);
  const roles = read.flatMap((one) => (one.kind === 'create' && !there.has(one.role) ? [one.role] : []));
  const missing = new Set(roles);
  const concerns = (one: (typeof read)[number]): one is RoleStatement => 'role' in one && missing.has(one.role);
  return {
    roles,
    statements: read.filter(concerns).map(({ sql }) => sql),
    tablespaces: read.flatMap((one) => (one.kind === 'tablespace' ? [one.name] : [])),
  };
}
