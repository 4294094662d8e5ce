import { atTime, inBytes, oneLine, progressOf, table } from '../../../src/cli/text';
import { anUpdate } from '../../support/news-builder';

test('a table has columns as wide as their widest cell and no blanks at the end', () => {
  expect(
    table(
      ['A', 'LONG'],
      [
        ['wider', 'x'],
        ['', 'longest'],
      ],
    ),
  ).toBe('A      LONG\nwider  x\n       longest');
});

test('a text is one line, without control sequences and characters that turn it around', () => {
  expect(oneLine('a\r\n\u001b[31mb \u202ec ')).toBe('a b c');
});

test.each([
  [null, '–'],
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1024 ** 2 * 1.5, '1.5 MiB'],
  [1024 ** 5, '1024.0 TiB'],
])('%p bytes are %s', (bytes, words) => {
  expect(inBytes(bytes)).toBe(words);
});

test("a time is shown in the operator's zone", () => {
  expect(atTime('2026-07-01T22:30:00Z', 'Europe/Berlin')).toBe('2026-07-02 00:30');
  expect(atTime(null, 'UTC')).toBe('–');
});

test('the live line of a queued update says what it waits for', () => {
  const queued = anUpdate({ status: 'queued', reason: 'The operator requested the update.', steps: [] });
  expect(progressOf(queued)).toBe('waiting until nothing else runs …');
  const hold = { since: '2026-01-05T03:00:00Z', until: '2026-01-05T03:01:00Z', reason: queued.reason };
  const reason = `${queued.reason} It waits for the registry, which is asked again: it does not answer.`;
  expect(progressOf({ ...queued, hold, reason })).toBe(
    'It waits for the registry, which is asked again: it does not answer.',
  );
});
