import { diskProblem, judgeDisk, parseDf } from '../../../../src/domain/disk/df';

const GIB = 1024 ** 3;

it('reads the free kibibytes of df as POSIX prints them', () => {
  const head = 'Filesystem     1024-blocks      Used Available Capacity Mounted on';
  expect(parseDf([head, 'overlay          102687672  46212748  51212700      48% /'])).toBe(51_212_700 * 1024);
  expect(parseDf([])).toBeNull();
  expect(parseDf(['sh: df: not found'])).toBeNull();
});

test.each([
  [0, true, 'only 0 B free'],
  [GIB / 32, true, 'only 32.0 MiB free'],
  [GIB, false, 'only 1.0 GiB free'],
])('%i free bytes: refused %s', (free, refused, words) => {
  expect(judgeDisk(free)).toEqual({ refused, words: expect.stringContaining(words) });
});

test('a disk with room is not spoken of', () => {
  expect(judgeDisk(50 * GIB)).toEqual({ refused: false, words: null });
  expect(diskProblem(50 * GIB)).toBeNull();
});

test('what is shown until there is room says how to make it, and that updates are refused when they are', () => {
  expect(diskProblem(GIB)).toMatch(
    /^the disk of the Docker Engine is nearly full: only 1\.0 GiB free\. Make room: `docker/,
  );
  expect(diskProblem(GIB / 32)).toContain('Updates are refused until there is room. Make room: `docker system df`');
});
