import { dumpedMajor } from '../../../../src/restores/databases/dump-header';

// The header of the custom format (pg_backup_archiver.c, WriteHead): magic, version, sizes, compression, time, names.

interface Header {
  minor: number;
  compression: number[];
  server: string | null;
  intSize?: number;
}

function header({ minor, compression, server, intSize = 4 }: Header): Buffer {
  const int = (value: number): number[] => [
    value < 0 ? 1 : 0,
    ...Array.from({ length: intSize }, (_, i) => Math.floor(Math.abs(value) / 256 ** i) % 256),
  ];
  const text = (value: string | null): number[] =>
    value === null ? int(-1) : [...int(Buffer.byteLength(value)), ...Buffer.from(value)];
  const time = [58, 5, 9, 25, 10, 126, 0].flatMap(int);
  const names = [...text('app'), ...text(server), ...text('17.2')];
  return Buffer.from([...Buffer.from('PGDMP'), 1, minor, 0, intSize, 8, 1, ...compression, ...time, ...names]);
}

const NUMBER = [0, 255, 255, 255, 255];

test.each([
  ['PostgreSQL 13', 14, NUMBER, '13.18 (Debian 13.18-1.pgdg120+1)', 13],
  ['PostgreSQL 15', 14, NUMBER, '15.10 (Debian 15.10-0+deb12u1)', 15],
  ['PostgreSQL 16, which tells its compression in one byte', 15, [1], '16.6', 16],
  ['PostgreSQL 17', 16, [1], '17.2 (Debian 17.2-1)', 17],
  ['a server before its first release', 16, [1], '18beta1', 18],
])('reads the major of %s', (_, minor, compression, server, major) => {
  expect(dumpedMajor(header({ minor, compression, server }))).toBe(major);
});

test('reads it with numbers of another size', () => {
  const compression = [0, 255, 255, 255, 255, 255, 255, 255, 255];
  expect(dumpedMajor(header({ minor: 14, compression, server: '14.15', intSize: 8 }))).toBe(14);
});

test('tells nothing of what tells nothing: no dump, one cut anywhere in its header, one without a version', () => {
  expect(dumpedMajor(Buffer.from('-- PostgreSQL database dump'))).toBeNull();
  const whole = header({ minor: 16, compression: [1], server: '17' });
  const toVersion = whole.indexOf('17') + 2;
  for (let length = 0; length < toVersion; length++) expect(dumpedMajor(whole.subarray(0, length))).toBeNull();
  expect(dumpedMajor(header({ minor: 16, compression: [1], server: null }))).toBeNull();
  expect(dumpedMajor(header({ minor: 16, compression: [1], server: 'unknown' }))).toBeNull();
});
