import { LINE_BREAK, printableLine, printableLines } from '../../lib/printable';

// lib/printable decides what is safe to print; these are the lengths that fit a mail and a page.

const LONGEST_LINE = 2000;
const LONGEST_LOG_LINE = 300;
const MOST_LOG_LINES = 60;
const LONGEST_NAME = 80;
const LONGEST_SUBJECT = 160;

/** One line, safe to print; at most `longest` characters. */
export function oneLine(text: string, longest = LONGEST_LINE): string {
  return cut(printableLine(text), longest);
}

/** `[diun-pilot] NAME: what`, in one line of bounded length, with no encoded word (RFC 2047) that a reader would decode. */
export function subjectLine(about: string, what: string): string {
  return oneLine(`[diun-pilot] ${oneLine(about, LONGEST_NAME)}: ${what}`.replaceAll('=?', '= ?'), LONGEST_SUBJECT);
}

/** The last lines of an output, each safe to print and of bounded length. Indentation stays. */
export function logLines(lines: string[]): string[] {
  return lines
    .flatMap(printableLines)
    .filter((line) => line !== '')
    .slice(-MOST_LOG_LINES)
    .map((line) => cut(line, LONGEST_LOG_LINE));
}

/** Details and error messages of the steps: what happened, in the first line; what a machine printed, in the lines after. */
export function splitDetail(detail: string): { sentence: string; output: string[] } {
  const [sentence = '', ...output] = detail.trim().split(LINE_BREAK);
  return { sentence, output };
}

/** The address when it is http(s) and without credentials (`https://bank@evil`), else null: the only way into an href. */
export function webUrl(address: string | null): string | null {
  if (address === null || !URL.canParse(address)) return null;
  const url = new URL(address);
  const harmless = /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  return harmless && url.href.length <= LONGEST_LINE ? url.href : null;
}

/** Counted in code points, so that no character is cut in half. */
function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const points = [...text];
  return points.length <= longest ? text : `${points.slice(0, longest - 1).join('')}…`;
}
