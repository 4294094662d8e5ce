import { identifier, literal } from '../../lib/sql-quoting';
import { notUnderstood, splitSql, tokensOf, type SqlToken } from './sql-tokens';

/** One statement about roles, written again from fixed words and quoted values: nothing of the script itself is run. */
interface RoleStatement {
  kind: 'create' | 'about' | 'member' | 'parameter';
  /** The role that it changes; of a membership the member. */
  role: string;
  sql: string;
}

/** A statement that concerns no role; `tablespace`: one that the script creates. */
export interface OtherStatement {
  kind: 'other' | 'tablespace';
  name: string;
}

const ATTRIBUTES = ['SUPERUSER', 'INHERIT', 'CREATEROLE', 'CREATEDB', 'LOGIN', 'REPLICATION', 'BYPASSRLS'];
const FLAGS = [...ATTRIBUTES, ...ATTRIBUTES.map((word) => `NO${word}`)];
const MEMBER_OPTIONS = ['ADMIN', 'INHERIT', 'SET'];
const MEMBER_VALUES = ['OPTION', 'TRUE', 'FALSE'];

/**
 * Reads one statement of `pg_dumpall --globals-only` (PostgreSQL 9.6 to 18). Throws `restore_refused` for any other: it
 * would be dropped silently, or run unread.
 */
function readRoleStatement(statement: string): RoleStatement | OtherStatement {
  const reader = new Reader(statement, tokensOf(statement));
  if (reader.take('SET')) return { kind: 'other', name: '' };
  const found = readCreate(reader) ?? readAlter(reader) ?? readRemark(reader) ?? readGrant(reader);
  if (found === null) throw notUnderstood(statement);
  return found;
}

/** What is left of a statement. */
class Reader {
  #at = 0;
  constructor(
    readonly statement: string,
    private readonly tokens: readonly SqlToken[],
  ) {}

  get done(): boolean {
    return this.#at >= this.tokens.length;
  }

  /** Passes these words if they come next. */
  take(...words: string[]): boolean {
    const here = words.every((word, i) => this.follows(i, word));
    if (here) this.#at += words.length;
    return here;
  }

  follows(after: number, word: string): boolean {
    const token = this.tokens[this.#at + after];
    return token?.kind === 'word' && token.value.toUpperCase() === word;
  }

  takeOneOf(words: readonly string[]): string | null {
    return words.find((word) => this.take(word)) ?? null;
  }

  sign(sign: string): boolean {
    const token = this.tokens[this.#at];
    const here = token?.kind === 'sign' && token.value === sign;
    if (here) this.#at += 1;
    return here;
  }

  value(...kinds: SqlToken['kind'][]): string {
    const token = this.tokens[this.#at];
    if (token === undefined || !kinds.includes(token.kind)) throw notUnderstood(this.statement);
    this.#at += 1;
    return token.value;
  }

  name(): string {
    return this.value('name', 'word');
  }

  string(): string {
    return literal(this.value('string')).trim();
  }

  end<T>(result: T): T {
    if (!this.done) throw notUnderstood(this.statement);
    return result;
  }
}

function readCreate(reader: Reader): RoleStatement | OtherStatement | null {
  if (reader.take('CREATE', 'TABLESPACE')) return { kind: 'tablespace', name: reader.name() };
  if (!reader.take('CREATE', 'ROLE')) return null;
  const role = reader.name();
  return reader.end({ kind: 'create', role, sql: `CREATE ROLE ${identifier(role)}` });
}

function readAlter(reader: Reader): RoleStatement | OtherStatement | null {
  if (reader.take('ALTER', 'TABLESPACE')) return { kind: 'other', name: reader.name() };
  if (!reader.take('ALTER', 'ROLE')) return null;
  const role = reader.name();
  const change = reader.take('WITH') ? attributes(reader) : setting(reader);
  return reader.end({ kind: 'about', role, sql: `ALTER ROLE ${identifier(role)} ${change}` });
}

function attributes(reader: Reader): string {
  const words = ['WITH'];
  while (!reader.done) {
    const flag = reader.takeOneOf(FLAGS);
    if (flag !== null) words.push(flag);
    else if (reader.take('CONNECTION', 'LIMIT')) words.push(`CONNECTION LIMIT ${Number(reader.value('number'))}`);
    else if (reader.take('PASSWORD')) words.push(`PASSWORD ${reader.string()}`);
    else if (reader.take('VALID', 'UNTIL')) words.push(`VALID UNTIL ${reader.string()}`);
    else throw notUnderstood(reader.statement);
  }
  return words.join(' ');
}

function setting(reader: Reader): string {
  if (!reader.take('SET')) throw notUnderstood(reader.statement);
  const name = reader.name();
  if (!reader.take('TO')) throw notUnderstood(reader.statement);
  const values = [value(reader)];
  while (reader.sign(',')) values.push(value(reader));
  return `SET ${identifier(name)} TO ${values.join(', ')}`;
}

/** Before 2018 pg_dumpall wrote lists as they are stored: their elements are names. */
function value(reader: Reader): string {
  return literal(reader.value('string', 'name', 'word', 'number')).trim();
}

function readRemark(reader: Reader): RoleStatement | OtherStatement | null {
  if (reader.take('COMMENT', 'ON')) return remark(reader, 'COMMENT ON');
  if (!reader.take('SECURITY', 'LABEL')) return null;
  if (!reader.take('FOR')) throw notUnderstood(reader.statement);
  const provider = identifier(reader.name());
  if (!reader.take('ON')) throw notUnderstood(reader.statement);
  return remark(reader, `SECURITY LABEL FOR ${provider} ON`);
}

function remark(reader: Reader, opening: string): RoleStatement | OtherStatement {
  const tablespace = reader.take('TABLESPACE');
  if (!tablespace && !reader.take('ROLE')) throw notUnderstood(reader.statement);
  const name = reader.name();
  if (!reader.take('IS')) throw notUnderstood(reader.statement);
  const sql = `${opening} ROLE ${identifier(name)} IS ${reader.string()}`;
  return reader.end(tablespace ? { kind: 'other', name } : { kind: 'about', role: name, sql });
}

function readGrant(reader: Reader): RoleStatement | OtherStatement | null {
  const revoke = reader.take('REVOKE');
  if (!revoke && !reader.take('GRANT')) return null;
  if (!revoke && reader.follows(1, 'TO')) return membership(reader);
  const privileges = privilegesOf(reader);
  if (reader.take('ON', 'TABLESPACE')) return { kind: 'other', name: reader.name() };
  if (reader.take('ON', 'PARAMETER')) return onParameter(reader, revoke, privileges);
  throw notUnderstood(reader.statement);
}

function privilegesOf(reader: Reader): string[] {
  const found: string[] = [];
  reader.take('GRANT', 'OPTION', 'FOR');
  do {
    if (reader.take('ALTER', 'SYSTEM')) found.push('ALTER SYSTEM');
    else {
      const word = reader.takeOneOf(['ALL', 'SET', 'CREATE']);
      if (word !== null) found.push(word);
    }
  } while (found.length > 0 && reader.sign(','));
  return found;
}

function onParameter(reader: Reader, revoke: boolean, privileges: readonly string[]): RoleStatement | OtherStatement {
  const parameter = identifier(reader.name());
  if (!reader.take(revoke ? 'FROM' : 'TO') || privileges.length === 0) throw notUnderstood(reader.statement);
  if (reader.take('PUBLIC')) return { kind: 'other', name: 'PUBLIC' };
  const role = reader.name();
  const option = reader.take('WITH', 'GRANT', 'OPTION') ? ' WITH GRANT OPTION' : '';
  const verb = revoke ? 'REVOKE' : 'GRANT';
  const sql = `${verb} ${privileges.join(', ')} ON PARAMETER ${parameter} ${revoke ? 'FROM' : 'TO'} ${identifier(role)}${option}`;
  return reader.end({ kind: 'parameter', role, sql });
}

/** The grantor may be a role of another server; the role that restores grants now. */
function membership(reader: Reader): RoleStatement {
  const group = reader.name();
  if (!reader.take('TO')) throw notUnderstood(reader.statement);
  const role = reader.name();
  const options: string[] = [];
  if (reader.take('WITH')) {
    do options.push(memberOption(reader));
    while (reader.sign(','));
  }
  if (reader.take('GRANTED', 'BY')) reader.name();
  const tail = options.length === 0 ? '' : ` WITH ${options.join(', ')}`;
  return reader.end({ kind: 'member', role, sql: `GRANT ${identifier(group)} TO ${identifier(role)}${tail}` });
}

function memberOption(reader: Reader): string {
  const option = reader.takeOneOf(MEMBER_OPTIONS);
  const chosen = option === null ? null : reader.takeOneOf(MEMBER_VALUES);
  if (option === null || chosen === null) throw notUnderstood(reader.statement);
  return `${option} ${chosen}`;
}

export interface MissingRoles {
  /** Names of roles that the server does not have. */
  roles: string[];
  /** What creates them, with their settings and memberships; about a role that is there nothing, unless `existing`. */
  statements: string[];
  /** Tablespaces that the script creates: their folders are the operator's. */
  tablespaces: string[];
}

/**
 * Of a script by `pg_dumpall --globals-only`, what a server with the roles `there` still needs; with `existing`, also the
 * password, attributes, settings and memberships of roles that are there. Pure. Throws `restore_refused` for a statement
 * that pg_dumpall does not write.
 */
export function missingRoles(
  script: string,
  there: ReadonlySet<string>,
  { existing }: { existing: boolean } = { existing: false },
): MissingRoles {
  const read = splitSql(script).map(readRoleStatement);
  const roles = read.flatMap((one) => (one.kind === 'create' && !there.has(one.role) ? [one.role] : []));
  const missing = new Set(roles);
  const concerns = (one: (typeof read)[number]): one is RoleStatement =>
    'role' in one && (missing.has(one.role) || (existing && one.kind !== 'create'));
  return {
    roles,
    statements: read.filter(concerns).map(({ sql }) => sql),
    tablespaces: read.flatMap((one) => (one.kind === 'tablespace' ? [one.name] : [])),
  };
}
