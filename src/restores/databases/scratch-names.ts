import { randomBytes } from 'node:crypto';

/** Random, so that no database of a set can have an object of that name, which would make its restore fail. */
const SUFFIX = randomBytes(8).toString('hex');

/** Schema and event trigger of the guard of a load. */
export const GUARD_SCHEMA = `diun_pilot_restore_${SUFFIX}`;
/** Schema and event trigger by which functions find names without a schema during a load. */
export const NAMES_SCHEMA = `diun_pilot_names_${SUFFIX}`;
