import { namesInDoubt, readErrors, skippedIn } from '../../../../src/backups/sources/files-source';

test('reads what GNU and busybox find say, but not of what vanished or what a restore keeps', () => {
  const said = [
    "find: '/data/cloud': Permission denied",
    'find: /data/a: b: Input/output error',
    "find: '/data/gone': No such file or directory",
    "find: '/data/.diun-pilot-before-01habcdefg-01/x': Permission denied",
    "find: '/data/\\303\\244': Transport endpoint is not connected",
    'find: unrecognized: -x',
  ].join('\n');
  expect(readErrors(said)).toEqual([
    { folder: '/data/cloud', why: 'Permission denied' },
    { folder: '/data/a: b', why: 'Input/output error' },
    { folder: '/data/ä', why: 'Transport endpoint is not connected' },
  ]);
});

test('a folder with nothing below it in the archive is skipped, a mount only if it has no entry', () => {
  const doubts = [
    { folder: '/srv/data/read', why: 'Permission denied' },
    { folder: '/srv/data/empty', why: 'Input/output error' },
    { folder: '/srv/data/missing', why: 'Input/output error' },
    { folder: '/srv/data/mount', why: 'a mount' },
    { folder: '/srv/data/lost', why: 'a mount' },
    { folder: '/srv/data/link/lost', why: 'a mount' },
  ];
  expect(namesInDoubt('/srv/data/', doubts)).toEqual(expect.arrayContaining(['data/read', 'data', 'data/link']));
  const folders = new Map([
    ['data', 'filled'],
    ['data/read', 'filled'],
    ['data/empty', 'empty'],
    ['data/mount', 'empty'],
  ] as const);
  expect(skippedIn({ folders }, '/srv/data/', doubts)).toBe(
    '/srv/data/empty (Input/output error), /srv/data/missing (Input/output error), /srv/data/lost (a mount)',
  );
  expect(skippedIn({ folders }, '/srv/data', doubts.slice(0, 1))).toBeNull();
});
