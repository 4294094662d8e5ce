/** A parser of what a stranger wrote: one row for each, for the fast suite and for `npm run fuzz`. */
export interface Parser {
  name: string;
  /** Texts that it accepts, which are cut, repeated and mixed. */
  seeds: readonly string[];
  /** Words of its grammar. */
  pieces: readonly string[];
  /** Throws what the parser throws, or an `Error` that says which promise is broken. */
  parse(input: string): unknown;
  /** Besides `PilotError`, in which it may end: by name of the class. */
  errors?: readonly string[];
  /** It is asked over HTTP or a file, so that it does not run as often. */
  slow?: true;
}

export const promise = (holds: boolean, what: string): void => {
  if (!holds) throw new BrokenPromise(what);
};

export class BrokenPromise extends Error {}

/** Bytes in text: one byte a character. */
export const bytes = (input: string): Buffer => Buffer.from(input, 'latin1');

export const HEX = 'a'.repeat(64);
export const DIGEST = `sha256:${HEX}`;
