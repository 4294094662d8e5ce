import type { Steps } from '../text/steps';

/** A word of an nginx configuration, quotes and escapes resolved, or one of its three marks. */
export interface Token {
  kind: 'word' | ';' | '{' | '}';
  text: string;
}

const QUOTES = '"\'';
const MARKS = ';{}';
const BLANK = /\s/;

/**
 * The tokens of a configuration (nginx, ngx_conf_read_token). Each character is read once, whatever the text is: it comes from
 * inside a container. A quote or variable that is not closed ends with the text.
 */
export function* nginxTokens(text: string, steps: Steps): Generator<Token> {
  let at = 0;
  while (at < text.length) {
    const from = at;
    const first = text.charAt(at);
    if (BLANK.test(first)) at += 1;
    else if (first === '#') at = endOfLine(text, at);
    else if (MARKS.includes(first)) {
      yield { kind: first as Token['kind'], text: first };
      at += 1;
    } else {
      const word = QUOTES.includes(first) ? quoted(text, at) : plain(text, at);
      yield { kind: 'word', text: word.text };
      at = word.end;
    }
    steps.take(Math.min(at, text.length) - from);
  }
}

interface Word {
  text: string;
  end: number;
}

function quoted(text: string, from: number): Word {
  const quote = text.charAt(from);
  const parts: string[] = [];
  let at = from + 1;
  for (; at < text.length && text.charAt(at) !== quote; at++) {
    if (text.charAt(at) === '\\') at += 1;
    parts.push(text.charAt(at));
  }
  return { text: parts.join(''), end: at + 1 };
}

/** Up to a blank or a mark. The braces of `${name}` belong to the word. */
function plain(text: string, from: number): Word {
  const parts: string[] = [];
  let inVariable = false;
  let at = from;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    const ends = BLANK.test(character) || (MARKS.includes(character) && !inVariable);
    if (ends && !(character === '{' && text.charAt(at - 1) === '$' && at > from)) break;
    if (character === '{') inVariable = true;
    if (character === '}') inVariable = false;
    if (character === '\\') at += 1;
    parts.push(text.charAt(at));
  }
  return { text: parts.join(''), end: at };
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}
