import { randomBytes } from 'node:crypto';

/** Random, so that no database of a set can have an object of that name, which would make its restore fail. */
const SUFFIX = randomBytes(8).toString('hex');

/** Schema and event trigger of the guard of a load. */
export const GUARD_SCHEMA = `diun_pilot_restore_${SUFFIX}`;
/** Schema and event trigger by which functions find names without a schema during a load. */
export const NAMES_SCHEMA = `diun_pilot_names_${SUFFIX}`;

const REPLICA = 'session_replication_role';

/**
 * The event triggers of a restored database would see our own statements and those of pg_restore: one may log them as
 * data, or refuse them. Only a superuser may set this; it ends with the session. Ours are `ENABLE ALWAYS`.
 */
export const WITHOUT_EVENT_TRIGGERS = `SET ${REPLICA} = replica;`;

/** The same for a client, by its environment. Tables are loaded before their triggers are created, so it changes no more. */
export function withoutEventTriggers(env: readonly string[]): string[] {
  return env.map((line) => (line.startsWith('PGOPTIONS=') ? `${line} -c ${REPLICA}=replica` : line));
}
