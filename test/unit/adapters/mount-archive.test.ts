import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack, extract, type Header } from 'tar-stream';
import { MountArchive } from '../../../src/adapters/docker/streams/mount-archive';

const BIG = randomBytes(70_000);
const LONG = `/${'n'.repeat(99)}`;
const LONGER = `/${'folder/'.repeat(30)}file`;

interface Entry extends Partial<Header> {
  name: string;
  content?: Buffer;
}

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content = Buffer.alloc(0), ...header } of entries) tar.entry(header, content);
  tar.finalize();
  return buffer(tar);
}

/** In pieces of this size, as a connection gives them. */
async function renamed(tar: Buffer, path: string, size = 1000): Promise<Buffer> {
  const pieces = Array.from({ length: Math.ceil(tar.length / size) }, (_, i) => tar.subarray(i * size, (i + 1) * size));
  return buffer(Readable.from(pieces).pipe(new MountArchive(path)));
}

async function read(tar: Buffer): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const entry of Readable.from([tar]).pipe(extract())) {
    const { name, linkname, type, mode, uid, size, pax } = entry.header;
    found.push({ name, linkname, type, mode, uid, size, pax, content: await buffer(entry) });
  }
  return found;
}

const names = async (tar: Buffer): Promise<string[]> => (await read(tar)).map(({ name }) => name);

const ROOTED: Entry[] = [
  { name: '/', type: 'directory', mode: 0o750, uid: 70 },
  { name: '/big', content: BIG, mode: 0o600, uid: 1234 },
  { name: '/hard', type: 'link', linkname: '/big' },
  { name: '/soft', type: 'symlink', linkname: '/etc/passwd' },
  { name: LONG, content: Buffer.from('long') },
  { name: LONGER, content: Buffer.from('longer') },
  { name: '/far', type: 'link', linkname: LONGER },
  { name: '/empty', type: 'directory' },
];

test.each([1, 511, 512, 513, 4096, 1_000_000])(
  'what is in a mount is named by its last part, in pieces of %d',
  async (size) => {
    const tar = await renamed(await tarOf(ROOTED), '/var/lib/data/', size);
    const found = await read(tar);
    expect(found.map(({ name }) => name.replace(/\/$/, ''))).toEqual(
      ROOTED.map(({ name }) => (name === '/' ? 'data' : `data${name}`)),
    );
    const at = (name: string): Entry | undefined => found.find((each) => each.name === name);
    expect(at('data/big')).toMatchObject({ content: BIG, mode: 0o600, uid: 1234 });
    expect(found[0]).toMatchObject({ type: 'directory', mode: 0o750, uid: 70 });
    expect([at('data/hard')?.linkname, at('data/far')?.linkname]).toEqual(['data/big', `data${LONGER}`]);
    expect(at('data/soft')?.linkname).toBe('/etc/passwd');
    expect(at(`data${LONGER}`)?.content).toEqual(Buffer.from('longer'));
  },
);

test('the tar of the system reads it', async () => {
  const tar = await renamed(await tarOf(ROOTED), '/data');
  const listed = execFileSync('tar', ['-t'], { input: tar }).toString().trim().split('\n');
  expect(listed).toHaveLength(ROOTED.length);
  expect(listed).toEqual(expect.arrayContaining(['data/', 'data/big', `data${LONGER}`]));
});

test('attributes keep every byte: file capabilities are no text', async () => {
  const given = await tarOf([
    { name: '/', type: 'directory' },
    { name: '/ping', content: Buffer.from('x'), pax: { 'SCHILY.xattr.security.capability': 'CAPS-CAPS' } },
  ]);
  const caps = Buffer.from([0x01, 0xff, 0x00, 0x80, 0xc3, 0x28, 0x0a, 0x3d, 0x20]);
  caps.copy(given, given.indexOf('CAPS-CAPS'));
  const tar = await renamed(given, '/data');
  expect(tar.indexOf(Buffer.concat([Buffer.from('security.capability='), caps, Buffer.from('\n')]))).toBeGreaterThan(0);
  expect(await names(tar)).toEqual(['data/', 'data/ping']);
});

test('a name need not be UTF-8', async () => {
  const given = await tarOf([{ name: '/', type: 'directory' }, { name: '/abc' }]);
  given.writeUInt8(0xe9, given.indexOf('/abc') + 2);
  const tar = await renamed(given, '/data');
  expect(tar.indexOf(Buffer.from([...Buffer.from('data/a'), 0xe9, ...Buffer.from('c')]))).toBeGreaterThan(0);
});

test.each([
  [
    'a folder that is no mount',
    [
      { name: 'data/', type: 'directory' as const },
      { name: 'data/a', content: BIG },
    ],
    '/data',
  ],
  ['a file', [{ name: 'file', content: BIG }], '/data/file'],
  ['the root itself', [{ name: '/', type: 'directory' as const }, { name: '/a' }], '/'],
])('%s passes unchanged', async (_, entries, path) => {
  const tar = await tarOf(entries);
  expect((await renamed(tar, path)).equals(tar)).toBe(true);
});

test('what is cut stays cut, so that its reader notices', async () => {
  const tar = await tarOf(ROOTED);
  const cut = await renamed(tar.subarray(0, 3000), '/data');
  expect(cut.subarray(-1024).every((byte) => byte === 0)).toBe(false);
});

test.each([
  ['damaged', (tar: Buffer) => tar.write('not octal ', 124 + 512)],
  ['GNU names', (tar: Buffer) => tar.write('L', 156 + 512)],
])('%s is refused with the reason', async (_, spoil) => {
  const tar = await tarOf([
    { name: '/', type: 'directory' },
    { name: '/a', content: BIG },
  ]);
  spoil(tar);
  await expect(renamed(tar, '/data')).rejects.toMatchObject({ code: 'engine_refused' });
});
