import { capitalised } from '../format';

/** What is found on a database server, each thing by a title for people: `rows of table public.items` → `120`. */
export type Facts = Record<string, string>;

/** All that a move to another server must keep, as read from one. */
export interface ServerState {
  /** Of PostgreSQL. */
  major: number;
  /** Roles with a hash of their passwords, their settings and memberships. */
  server: Facts;
  /** By name: properties, extensions, objects, rows, sequences, grants, large objects. */
  databases: Record<string, Facts>;
}

/** A privilege on tables that PostgreSQL 17 has added: an owner has it there without any grant. */
const MAINTAIN = { privilege: 'MAINTAIN', since: 17 };
const LISTED = 20;

/** Each difference as a sentence; none: the same. Pure. */
export function compareStates(before: ServerState, after: ServerState): string[] {
  const known = knownToBoth(before, after);
  const found = differences('', before.server, after.server, known);
  for (const name of Object.keys(after.databases))
    if (before.databases[name] === undefined) found.push(`Database ${name} did not exist before.`);
  for (const [name, facts] of Object.entries(before.databases)) {
    const now = after.databases[name];
    if (now === undefined) found.push(`Database ${name} is missing.`);
    else found.push(...differences(`database ${name}: `, facts, now, known));
  }
  return found;
}

/** The first of them, for an error; never an endless one. */
export function differencesText(found: readonly string[]): string {
  const more = found.length - LISTED;
  return [...found.slice(0, LISTED), ...(more > 0 ? [`And ${more} more.`] : [])].join(' ');
}

/** What was compared, for the step. */
export function stateText({ server, databases }: ServerState): string {
  const all = Object.values(databases);
  const of = (kind: string): number =>
    all.reduce((sum, facts) => sum + Object.keys(facts).filter((title) => title.startsWith(kind)).length, 0);
  const rows = all.flatMap((facts) =>
    Object.entries(facts).flatMap(([title, value]) => (title.startsWith('rows of ') ? [Number(value)] : [])),
  );
  const roles = Object.keys(server).filter((title) => title.startsWith('role ')).length;
  const counts = [
    count(all.length, 'database'),
    count(roles, 'role'),
    count(of('extension '), 'extension'),
    `${count(
      rows.reduce((sum, one) => sum + one, 0),
      'row',
    )} in ${count(rows.length, 'table')}`,
    count(of('position of sequence '), 'sequence'),
  ];
  return counts.join(', ');
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

type Known = (value: string) => string;

function knownToBoth(before: ServerState, after: ServerState): Known {
  if (Math.min(before.major, after.major) >= MAINTAIN.since) return (value) => value;
  const isNew = (grant: string): boolean => grant.endsWith(`:${MAINTAIN.privilege}`);
  return (value) =>
    value
      .split(', ')
      .filter((grant) => !isNew(grant))
      .join(', ');
}

function differences(where: string, before: Facts, after: Facts, known: Known): string[] {
  const found: string[] = [];
  for (const [title, value] of Object.entries(before)) {
    const now = after[title];
    if (now === undefined) found.push(capitalised(`${where}${title} is missing.`));
    else if (known(now) !== known(value))
      found.push(capitalised(`${where}${title}: before ${shown(value)}, now ${shown(now)}.`));
  }
  for (const title of Object.keys(after))
    if (before[title] === undefined) found.push(capitalised(`${where}${title} did not exist before.`));
  return found;
}

const LONGEST = 160;

function shown(value: string): string {
  if (value === '') return 'nothing';
  return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
}

/** Keywords of ICU for collations, and their keys in a language tag. */
const KEYS: Record<string, string> = {
  ...{ collation: 'co', colnumeric: 'kn', colstrength: 'ks', colcasefirst: 'kf', colcaselevel: 'kc' },
  ...{ colalternate: 'ka', colbackwards: 'kb', colreorder: 'kr' },
};
const VALUES: Record<string, string> = {
  ...{ yes: 'true', no: 'false', 'non-ignorable': 'noignore' },
  ...{ primary: 'level1', secondary: 'level2', tertiary: 'level3', quaternary: 'level4', identical: 'identic' },
  ...{ phonebook: 'phonebk', traditional: 'trad', dictionary: 'dict' },
};

/**
 * The standard form of an ICU locale. PostgreSQL 15 keeps one as the operator wrote it (`en_US`, `de-u-kn-true`,
 * `de@collation=phonebook`); from 16 on it is written as a language tag (`en-US`, `de-u-kn`, `de-u-co-phonebk`). A text that is not a language
 * tag stays as it is. Pure.
 */
export function icuLanguageTag(locale: string): string {
  const [language = '', keywords = ''] = locale.split('@');
  const extension = keywords.split(';').flatMap((keyword) => {
    const [key = '', value = ''] = keyword.toLowerCase().split('=');
    return key === '' ? [] : [KEYS[key] ?? key, VALUES[value] ?? value];
  });
  const named = ['', 'root'].includes(language.toLowerCase()) ? 'und' : language.replaceAll('_', '-');
  const tag = extension.length === 0 ? named : [named, 'u', ...extension].join('-');
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? tag;
  } catch {
    return tag;
  }
}
