import { stripVTControlCharacters } from 'node:util';

// Container names, image labels, registry errors and log lines are written by strangers. Before they reach a terminal, a mail, a
// page or a log they lose what only deceives: control characters, escape sequences, bidirectional and other invisible format
// characters (Unicode category Cf), and lone surrogates. This is the one place that knows which these are.

/** Ends of lines, in every spelling. */
export const LINE_BREAK = /\r\n|[\n\r\u0085\u2028\u2029]/;
const INVISIBLE = /[\p{Cc}\p{Cf}]/gu;
const LONE_SURROGATE = /\p{Cs}/gu;
/** What JSON leaves as it is, of the above. */
const INVISIBLE_IN_JSON = /[\u007f-\u009f\u2028\u2029\p{Cf}\p{Cs}]/gu;

/** One line, blanks collapsed. */
export function printableLine(text: string): string {
  return visible(stripVTControlCharacters(text).replace(/\s+/gu, ' ')).trim();
}

/** The lines of a text, each safe to print; indentation stays. */
export function printableLines(text: string): string[] {
  return text.split(LINE_BREAK).map((line) => visible(stripVTControlCharacters(line).replace(/\t/g, '  ')).trimEnd());
}

/** JSON of the same value in which no such character is left: each is written as `\uXXXX`. */
export function printableJson(json: string): string {
  return json.replace(INVISIBLE_IN_JSON, (character) =>
    Array.from({ length: character.length }, (_, at) => character.charCodeAt(at).toString(16).padStart(4, '0'))
      .map((hex) => `\\u${hex}`)
      .join(''),
  );
}

function visible(text: string): string {
  return text.replace(INVISIBLE, '').replace(LONE_SURROGATE, '\uFFFD');
}
