import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES, type ErrorCode } from '../../src/domain/errors';
import { httpStatusOf } from '../../src/http/errors';

interface Documented {
  code: string;
  status: string;
  meaning: string;
  remedy: string;
}

/** The rows of every table in docs/errors.md. */
function documented(): Documented[] {
  return readFileSync(join(__dirname, '..', '..', 'docs', 'errors.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, code = '', status = '', meaning = '', remedy = '']) => ({
      code: code.replaceAll('`', ''),
      status,
      meaning,
      remedy,
    }));
}

test('docs/errors.md lists every code once, and no other', () => {
  expect(
    documented()
      .map(({ code }) => code)
      .sort(),
  ).toEqual(Object.keys(ERROR_CODES).sort());
});

test('each has a meaning and tells what to do', () => {
  for (const { code, meaning, remedy } of documented()) {
    expect({ code, meaning: meaning.length > 10, remedy: remedy.length > 10 }).toEqual({
      code,
      meaning: true,
      remedy: true,
    });
  }
});

test('the HTTP status is the one that is answered', () => {
  for (const { code, status } of documented()) {
    if (status === '–') continue;
    expect(`${code} ${status}`).toBe(`${code} ${httpStatusOf(code as ErrorCode)}`);
  }
});
