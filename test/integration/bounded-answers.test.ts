import { Readable } from 'node:stream';
import { readManifest } from '../../src/backups/manifest';
import { certificatesOfNginx } from '../../src/certificates/find-certificates';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { BOUNDS } from '../../src/domain/bounds';
import type { Container } from '../../src/domain/container';
import type { ContainerInspect } from '../../src/domain/engine-inspect';
import type { BackupStorage } from '../../src/ports/backup-storage';
import type { Engine } from '../../src/ports/engine';
import { json, startEngineServer, type EngineServer } from '../support/engine-server';

jest.setTimeout(60_000);

/** Bytes without end; `handedOut` counts what was taken of them. */
function endless(): { content: Readable; handedOut: () => number } {
  let bytes = 0;
  const piece = Buffer.alloc(64 * 1024, 'x');
  const content = new Readable({
    read() {
      bytes += piece.length;
      this.push(piece);
    },
  });
  return { content, handedOut: () => bytes };
}

const slack = 1024 * 1024;

test('a manifest without end is a damaged one', async () => {
  const { content, handedOut } = endless();
  const storage = { get: () => Promise.resolve(content) } as Partial<BackupStorage> as BackupStorage;
  await expect(readManifest(storage, 'shop/1', [])).rejects.toMatchObject({
    code: 'backup_not_verified',
    message: expect.stringContaining('larger than 8 MiB'),
  });
  expect(handedOut()).toBeLessThan(BOUNDS.backupManifest.bytes + slack);
});

test('a configuration of nginx without end is unreadable', async () => {
  const { content, handedOut } = endless();
  const engine = { execOutput: () => Promise.resolve(content) } as Partial<Engine> as Engine;
  const deps = { engine, certificates: { served: () => Promise.reject(new Error('not asked')) }, selfId: null };
  const container = { id: 'c', name: 'web' } as Container;
  await expect(certificatesOfNginx(deps, container, {} as ContainerInspect)).rejects.toMatchObject({
    code: 'certificate_unreadable',
    message: expect.stringContaining('larger than 4 MiB'),
  });
  expect(handedOut()).toBeLessThan(BOUNDS.nginxConfiguration.bytes + slack);
});

describe('from the engine', () => {
  let server: EngineServer;
  let engine: Engine;
  beforeEach(async () => {
    server = await startEngineServer();
    engine = createDockerEngine({ dockerHost: server.address, dockerConfigDir: null });
  });
  afterEach(() => server.close());

  test('of a log whose line never ends, the last bytes are kept', async () => {
    server.answers.set('/containers/c/json', (_request, response) =>
      json(response, { Id: 'c', State: { Status: 'running' }, Config: { Tty: true } }),
    );
    server.answers.set('/containers/c/logs', (_request, response) => {
      for (let part = 0; part < 12; part++) response.write('x'.repeat(1024 * 1024));
      response.end('the end\n');
    });
    const lines = await engine.logs('c', 30);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toHaveLength(2000);
  });

  test('a pull whose line never ends fails', async () => {
    server.answers.set('/images/create', (_request, response) => {
      const more = (): void =>
        void (response.write('x'.repeat(64 * 1024)) ? setImmediate(more) : response.once('drain', more));
      response.on('error', () => undefined);
      more();
    });
    await expect(engine.pull(`app@sha256:${'a'.repeat(64)}`, () => undefined)).rejects.toMatchObject({
      code: expect.stringMatching(/pull_failed|engine_unreachable/),
    });
  });

  test('an answer that is larger than any answer is refused, not kept', async () => {
    server.answers.set('/containers/json', (_request, response) => {
      const more = (): void => {
        if (response.destroyed) return;
        if (response.write(Buffer.alloc(1024 * 1024, 0x20))) setImmediate(more);
        else response.once('drain', more);
      };
      response.on('error', () => undefined);
      more();
    });
    await expect(engine.containerIds()).rejects.toMatchObject({
      code: 'engine_refused',
      message: expect.stringContaining('larger than 64 MiB'),
    });
  });
});
