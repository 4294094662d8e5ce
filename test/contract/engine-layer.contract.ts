import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import type { Engine } from '../../src/ports/engine';
import { containersOf, headersOf, type EngineScene } from './engine-scene';

/** Promises of ports/engine about the files in a container's own layer. */
export function engineLayerContract(name: string, setUp: () => Promise<EngineScene>): void {
  describe(`${name}, of the own layer of a container`, () => {
    let scene: EngineScene;
    let engine: Engine;

    beforeAll(async () => {
      scene = await setUp();
      engine = scene.engine;
    }, 120_000);

    afterAll(() => scene?.takeDown(), 120_000);

    const { nameOf, created } = containersOf(() => scene);

    it('lists what differs from the image, and describes a file that was unpacked into it', async () => {
      const id = await created();
      const tar = pack();
      tar.entry(
        { name: 'etc/own.conf', mode: 0o440, uid: 33, gid: 33, mtime: new Date('2026-11-28T11:45:29Z') },
        'own',
      );
      tar.finalize();
      await engine.extract(id, '/', Readable.from(tar, { objectMode: false }));
      expect(await engine.changes(id)).toContainEqual({ path: '/etc/own.conf', kind: 'added' });
      expect(await engine.stat(id, '/etc/own.conf')).toEqual({
        type: 'file',
        size: 3,
        mode: 0o440,
        modifiedAt: expect.stringMatching(/^2026-11-28T11:45:29(?:\.0+)?Z$/),
      });
      const [entry] = await headersOf(await engine.archive(id, '/etc/own.conf'));
      expect(entry).toMatchObject({ mode: 0o440, uid: 33, gid: 33 });
    });

    it('describes a folder as one, has null for a path that does not exist, and rejects without the container', async () => {
      const id = await created();
      const tar = pack();
      tar.entry({ name: 'srv/app/file' }, 'x');
      tar.finalize();
      await engine.extract(id, '/', Readable.from(tar, { objectMode: false }));
      expect(await engine.stat(id, '/srv/app')).toMatchObject({ type: 'directory' });
      expect(await engine.stat(id, '/srv/nothing')).toBeNull();
      await expect(engine.stat(nameOf('nobody'), '/srv')).rejects.toMatchObject({ code: 'container_not_found' });
      await expect(engine.changes(nameOf('nobody'))).rejects.toMatchObject({ code: 'container_not_found' });
    });
  });
}
