import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileTransport } from '../../src/adapters/mail-file/file-transport';
import { aMail } from '../support/mail-builder';

let root: string;
beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'mail-file-'))));
afterEach(() => rm(root, { recursive: true }));

it('writes one file for one mail, equal bytes however often, and leaves nothing else behind', async () => {
  const transport = createFileTransport({ folder: root });
  await transport.send(aMail());
  const first = await readFile(join(root, `${aMail().id}.eml`));
  await transport.send(aMail());
  await transport.check();
  expect(await readdir(root)).toEqual([`${aMail().id}.eml`]);
  expect((await readFile(join(root, `${aMail().id}.eml`))).equals(first)).toBe(true);
});

it('lets only the owner read the mail, which may hold a signed link', async () => {
  const folder = join(root, 'mail');
  await createFileTransport({ folder }).send(aMail());
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, `${aMail().id}.eml`))).mode & 0o777).toBe(0o600);
});

it.each(['../escape', 'a/b', '', 'x'.repeat(200)])('refuses %j as the name of a file', async (id) => {
  const transport = createFileTransport({ folder: root });
  await expect(transport.send(aMail({ id }))).rejects.toMatchObject({ permanent: true });
  expect(await readdir(root)).toEqual([]);
});

it('tells the reason of a failure without the path', async () => {
  const error: unknown = await createFileTransport({ folder: '/dev/null/mail' })
    .send(aMail())
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ permanent: false, message: expect.stringContaining('ENOTDIR') });
  expect((error as Error).message).not.toContain('/dev/null');
});
