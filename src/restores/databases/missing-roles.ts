import { splitSql } from './split-sql';

export interface MissingRoles {
  /** Names of roles that the server has not got. */
  roles: string[];
  /** What creates them, with their settings and memberships; says nothing of a role that is there. */
  statements: string[];
  /** Tablespaces that the script creates: their folders are the operator's. */
  tablespaces: string[];
}

const NAME = String.raw`("(?:[^"]|"")+"|[^\s";,]+)`;
const CREATE = new RegExp(String.raw`^CREATE ROLE ${NAME}$`);
const ABOUT_ROLE = new RegExp(
  String.raw`^(?:CREATE ROLE|ALTER ROLE|COMMENT ON ROLE|SECURITY LABEL .* ON ROLE) ${NAME}(?:\s|$)`,
);
const MEMBER = new RegExp(String.raw`^GRANT ${NAME} TO ${NAME}(?:\s|$)`);
const PARAMETER = new RegExp(String.raw`^GRANT .* ON PARAMETER .* TO ${NAME}(?:\s|$)`);
const TABLESPACE = new RegExp(String.raw`^CREATE TABLESPACE ${NAME}(?:\s|$)`);

/** Of a script by `pg_dumpall --globals-only`, what a server with the roles `there` still needs. Pure. */
export function missingRoles(script: string, there: ReadonlySet<string>): MissingRoles {
  const statements = splitSql(script);
  const roles = statements.flatMap((one) => names(CREATE, one)).filter((role) => !there.has(role));
  const missing = new Set(roles);
  const concerns = (statement: string): boolean =>
    [ABOUT_ROLE, PARAMETER].some((about) => names(about, statement).some((role) => missing.has(role))) ||
    missing.has(names(MEMBER, statement)[1] ?? '');
  return {
    roles,
    statements: statements.filter(concerns).map(withoutGrantor),
    tablespaces: statements.flatMap((one) => names(TABLESPACE, one)),
  };
}

function names(pattern: RegExp, statement: string): string[] {
  return (pattern.exec(statement)?.slice(1) ?? []).map((name) =>
    name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name,
  );
}

/** Who granted may be a role of another server; whoever restores grants now. */
function withoutGrantor(statement: string): string {
  return MEMBER.test(statement) ? statement.replace(new RegExp(String.raw` GRANTED BY ${NAME}$`), '') : statement;
}
