import { judgeDisk, parseDf } from '../../../../src/domain/disk/df';

const GIB = 1024 ** 3;

it('reads the free kibibytes of df as POSIX prints them', () => {
  const head = 'Filesystem     1024-blocks      Used Available Capacity Mounted on';
  expect(parseDf([head, 'overlay          102687672  46212748  51212700      48% /'])).toBe(51_212_700 * 1024);
  expect(parseDf([])).toBeNull();
  expect(parseDf(['sh: df: not found'])).toBeNull();
});

test.each([
  [0, true, '0 B are free'],
  [GIB / 32, true, '32.0 MiB are free'],
  [GIB, false, '1.0 GiB are free'],
])('%i free bytes: refused %s', (free, refused, words) => {
  expect(judgeDisk(free)).toEqual({ refused, words: expect.stringContaining(words) });
});

test('a disk with room is not spoken of', () => {
  expect(judgeDisk(50 * GIB)).toEqual({ refused: false, words: null });
});
