import { Readable } from 'node:stream';
import { createS3Storage } from '../../src/adapters/storage-s3/s3-storage';
import { requestBackups } from '../../src/backups/backup-queue';
import { readContainers } from '../../src/containers/read-containers';
import { whyNoS3Server } from '../lab/s3-program';
import { describeIf } from '../support/needs';
import { startS3Server, type S3Server } from '../support/s3-server';
import { nginx, openScene, type Scene } from '../support/scene';

const DAY = 86_400_000;

describeIf(whyNoS3Server(), 'retention on a real S3 server', () => {
  let server: S3Server;
  let scene: Scene;
  beforeAll(async () => {
    server = await startS3Server();
    scene = openScene();
  }, 900_000);
  afterAll(async () => {
    scene.close();
    await server.stop();
  });

  test('removes object by object what is no longer kept, and nothing that is not ours', async () => {
    const bucket = await server.bucket();
    const storage = createS3Storage({ bucket, prefix: 'pilot', customEndpoint: true, client: server.sdk });
    scene.deps.storage = storage;
    scene.deps.retention = { daily: 1, weekly: 0, monthly: 0 };
    scene.engine.addImage({ reference: 'nginx:stable', files: { '/data/a': 'some rows' } });
    scene.engine.runContainer(nginx({ labels: { 'backup.kind': 'files', 'backup.paths': '/data' } }));
    const unfinished = 'web/20251220T020000Z-01KAT3W9A0BCDEFGHJKMNPQRST/01-web-files-data.tar.gz';
    for (const key of [unfinished, 'web/notes.txt']) await storage.put(key, Readable.from([Buffer.from('x')]));

    for (let day = 0; day < 3; day++) {
      requestBackups(
        { store: scene.store, containers: await readContainers(scene.engine, null) },
        { reason: 'schedule' },
      );
      await scene.settle();
      await scene.clock.advance(DAY);
    }

    const [newest, ...others] = scene.store.backups.list(10);
    expect(others.map(({ status }) => status)).toEqual(['pruned', 'pruned']);
    const keys = (newest?.items ?? []).map(({ key }) => key);
    const folder = keys[0]?.replace(/\/[^/]+$/, '') ?? '';
    const left = [...keys, `${folder}/manifest.json`, 'web/notes.txt'].map((key) => `pilot/${key}`);
    expect((await server.objects(bucket)).sort()).toEqual(left.sort());
  });
});
