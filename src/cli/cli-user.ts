import type { DecidedBy } from '../domain/update';

/** Who decides on the command line: the user of this process, by its ID. */
export function cliUser(): DecidedBy {
  return `cli:${process.getuid?.() ?? 0}`;
}
