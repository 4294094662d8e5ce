import { oneLine } from './clean';

/**
 * A command to be copied into a POSIX shell: every argument stays one argument and runs nothing, whatever a container
 * is called. `raw` is ours, and printed as it is.
 */
export function shellCommand(...words: (string | { raw: string })[]): string {
  return words.map((word) => (typeof word === 'string' ? quote(oneLine(word)) : word.raw)).join(' ');
}

function quote(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
