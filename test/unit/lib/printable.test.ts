import fc from 'fast-check';
import { PassThrough } from 'node:stream';
import winston from 'winston';
import { createLogger } from '../../../src/lib/logger';
import { printableJson, printableLine, printableLines } from '../../../src/lib/printable';
import { HOSTILE, hostile } from '../../support/hostile-strings';

/** What a terminal, a mail or a log must never get; a line break where lines are meant is not in it. */
const DECEIVES = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;

test.each([
  ['a right-to-left override', 'img\u202egnp.exe', 'imggnp.exe'],
  ['an isolate', '\u2066a\u2069', 'a'],
  ['an escape sequence', 'a\u001b[31mred\u001b[0m', 'ared'],
  ['a link of a terminal', '\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007', 'click'],
  ['a zero-width space and a byte order mark', 'a\u200bb\ufeff', 'ab'],
  ['tags of Unicode', 'a\u{e0041}\u{e007f}', 'a'],
  ['half a character', 'a\ud800', 'a\ufffd'],
  ['line breaks', 'a\r\nb\u2028c', 'a b c'],
])('%s does not get through', (_what, text, printed) => expect(printableLine(text)).toBe(printed));

test('whatever strangers write, a line has none of it', () => {
  fc.assert(
    fc.property(fc.oneof(hostile, fc.string({ unit: 'binary', maxLength: 60 })), (text) => {
      expect(printableLine(text)).not.toMatch(DECEIVES);
      for (const line of printableLines(text)) expect(line).not.toMatch(DECEIVES);
    }),
  );
});

test('JSON stays the same value, and has none of it either', () => {
  fc.assert(
    fc.property(fc.oneof(hostile, fc.string({ unit: 'binary', maxLength: 60 })), (text) => {
      const json = printableJson(JSON.stringify({ text }));
      expect(json).not.toMatch(DECEIVES);
      expect(JSON.parse(json)).toEqual({ text });
    }),
  );
});

test('the log writes lines of JSON with none of it', () => {
  const lines: string[] = [];
  const stream = new PassThrough();
  stream.on('data', (part: Buffer) => lines.push(part.toString()));
  const logger = createLogger('info') as unknown as winston.Logger;
  logger.clear().add(new winston.transports.Stream({ stream }));
  for (const text of HOSTILE) logger.info(text, { name: text });
  const written = lines.join('').trimEnd().split('\n');
  expect(written).toHaveLength(HOSTILE.length);
  for (const [at, line] of written.entries()) {
    expect(line).not.toMatch(DECEIVES);
    const text = HOSTILE[at]?.replace(/[\ud800-\udfff]/g, (half) => half);
    expect(JSON.parse(line)).toMatchObject({ message: text, name: text });
  }
});
