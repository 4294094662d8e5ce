import { Readable } from 'node:stream';
import { MountArchive } from '../../../src/adapters/docker/streams/mount-archive';
import { demux } from '../../../src/adapters/docker/streams/output';
import { TarEntries } from '../../../src/backups/sources/tar-entries';
import { bytes, promise, type Parser } from './parser';

/** Bytes that are read as they come. */
export const STREAMS: readonly Parser[] = [
  {
    name: 'tar',
    seeds: [aTar('a/b', 'x'), aTar('folder/', '')],
    pieces: ['\u0000', '\u0000'.repeat(512), 'ustar\u0000', '0000644\u0000', '5', 'x', '1', '..', '/', '\u00ff'],
    errors: ['TornTar', 'Error'],
    parse: async (input) => {
      const entries = new TarEntries(['folder']);
      const passed: Buffer[] = [];
      for await (const part of Readable.from([bytes(input)]).pipe(entries)) passed.push(part as Buffer);
      promise(Buffer.concat(passed).equals(bytes(input)), 'the tar was changed');
    },
  },
  {
    name: 'archives of Podman',
    seeds: [aTar('/', ''), aTar('/a', 'x'), aTar('data/a', 'x')],
    pieces: [
      '\u0000'.repeat(512),
      '0000644\u0000',
      '-1',
      'x',
      'g',
      'L',
      '1',
      '12 path=/a\n',
      '99 path=',
      '\u0080',
      '\u00ff',
    ],
    parse: async (input) => {
      let length = 0;
      for await (const part of Readable.from([bytes(input)]).pipe(new MountArchive('/data')))
        length += (part as Buffer).length;
      promise(length <= 4 * input.length + 4096, 'it has far more than was sent');
    },
  },
  {
    name: 'streams of the engine',
    seeds: ['\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0002ab\u0002\u0000\u0000\u0000\u0000\u0000\u0000\u0001c'],
    pieces: ['\u0000', '\u0001', '\u0002', '\u00ff\u00ff\u00ff\u00ff', 'a', '\n'],
    parse: async (input) => {
      let length = 0;
      const stdout = (part: Buffer): boolean => ((length += part.length), true);
      const ended = demux(Readable.from(bytes(input).length === 0 ? [] : [bytes(input)]), { stdout, stderr: stdout });
      await ended.finally(() => promise(length <= input.length, 'it has more than was sent'));
    },
  },
];

/** One empty file: a tar of two blocks for it and two for its end. */
function aTar(name: string, content: string): string {
  const size = content.length.toString(8).padStart(11, '0');
  const fields = [
    name.padEnd(100, '\u0000'),
    '0000644\u0000',
    '0000000\u0000',
    '0000000\u0000',
    `${size}\u0000`,
    '00000000000\u0000',
  ];
  const type = name.endsWith('/') ? '5' : '0';
  const rest = `${type}${'\u0000'.repeat(100)}ustar\u000000${'\u0000'.repeat(247)}`;
  const sum = [...`${fields.join('')}        ${rest}`].reduce((total, character) => total + character.charCodeAt(0), 0);
  const header = `${fields.join('')}${sum.toString(8).padStart(6, '0')}\u0000 ${rest}`;
  return `${header}${content.padEnd(content === '' ? 0 : 512, '\u0000')}${'\u0000'.repeat(1024)}`;
}
