import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileTransport } from '../../src/adapters/mail-file/file-transport';
import { parseEml } from '../support/parse-eml';
import { mailTransportContract } from './mail-transport.contract';

mailTransportContract('mail-file', async () => {
  const root = await mkdtemp(join(tmpdir(), 'mail-file-'));
  const folder = join(root, 'mail');
  return {
    transport: createFileTransport({ folder }),
    received: async () => {
      const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.eml')).sort();
      return Promise.all(names.map(async (name) => parseEml(await readFile(join(folder, name)))));
    },
    takeDown: async () => {
      await rm(folder, { recursive: true, force: true });
      await writeFile(folder, 'a file where the folder should be');
    },
    close: () => rm(root, { recursive: true }),
  };
});
