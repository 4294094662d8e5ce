import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { walkTar } from '../../../src/backups/sources/files-source';
import { pinned } from '../../../src/restores/pinned-storage';
import { memoryStorage } from '../../support/memory-storage';

const KEY = 'shop/set/02.tar.gz';

test.each(['directory', 'file'] as const)(
  'the first bytes of a large archive say that its root is a %s',
  async (type) => {
    const tar = pack();
    const content = randomBytes(3 * 1024 * 1024);
    tar.entry({ name: 'data', type }, type === 'file' ? content : '');
    if (type === 'directory') tar.entry({ name: 'data/pack' }, content);
    tar.finalize();
    const storage = pinned(memoryStorage(new Map([[KEY, gzipSync(await buffer(tar), { level: 1 })]])));
    expect(storage.headOf(KEY)).toHaveLength(0); // it was not read to its end
    await buffer(await storage.get(KEY));
    const head = storage.headOf(KEY);
    expect(head.length).toBeLessThan(64 * 1024);
    const start = gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
    expect(await walkTar(Readable.from([start]))).toMatchObject({ whole: false, root: type });
  },
);
