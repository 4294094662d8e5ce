import { oneLine } from './clean';
import { shellWord } from '../../domain/text/shell';

/**
 * A command to be copied into a POSIX shell: every argument stays one argument and runs nothing, whatever a container
 * is called. `raw` is ours, and printed as it is.
 */
export function shellCommand(...words: (string | { raw: string })[]): string {
  return words.map((word) => (typeof word === 'string' ? shellWord(oneLine(word)) : word.raw)).join(' ');
}
