import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import type { Engine } from '../../src/ports/engine';
import { eventually } from '../support/eventually';
import { containersOf, contentOf, entriesOf, type EngineScene } from './engine-scene';

const MIB = 1024 * 1024;

/** Every promise of ports/engine, held against an implementation. */
export function engineContract(name: string, setUp: () => Promise<EngineScene>): void {
  describe(`${name} keeps the promises of the engine`, () => {
    let scene: EngineScene;
    let engine: Engine;

    beforeAll(async () => {
      scene = await setUp();
      engine = scene.engine;
    });

    afterAll(() => scene?.takeDown());

    const { nameOf, created, running } = containersOf(() => scene);

    describe('containers', () => {
      it('tells its version and the API that is spoken', async () => {
        expect(await engine.version()).toEqual({
          engine: expect.stringMatching(/./),
          api: expect.stringMatching(/^1\.[45]\d$/),
          os: 'linux',
          architecture: expect.stringMatching(/./),
        });
      });

      it('finds a container by id and by name, and lists it whether it runs or not', async () => {
        const id = await created();
        const { Name, State } = await engine.inspectContainer(id);
        expect(State).toMatchObject({ Status: 'created', Running: false });
        expect((await engine.inspectContainer(Name.slice(1))).Id).toBe(id);
        expect(await engine.containerIds()).toContain(id);
      });

      it('rejects with container_not_found for a container that is not there', async () => {
        const nobody = nameOf('nobody');
        await expect(engine.inspectContainer(nobody)).rejects.toMatchObject({ code: 'container_not_found' });
        await expect(engine.start(nobody)).rejects.toMatchObject({ code: 'container_not_found' });
        await expect(engine.exec(nobody, ['true'])).rejects.toMatchObject({ code: 'container_not_found' });
        await expect(engine.logs(nobody, 1)).rejects.toMatchObject({ code: 'container_not_found' });
      });

      it('starts what runs already, stops what is stopped already and removes what is gone already', async () => {
        const id = await running();
        await engine.start(id);
        expect((await engine.inspectContainer(id)).State.Running).toBe(true);
        await engine.stop(id);
        await engine.stop(id);
        expect((await engine.inspectContainer(id)).State).toMatchObject({ Running: false, Status: 'exited' });
        await engine.remove(id);
        await engine.remove(id);
        expect(await engine.containerIds()).not.toContain(id);
      });

      it('does not remove a container that runs', async () => {
        const id = await running();
        await expect(engine.remove(id)).rejects.toMatchObject({ code: 'engine_refused' });
        expect((await engine.inspectContainer(id)).State.Running).toBe(true);
      });

      it('addresses by id what was renamed, and gives its name to another', async () => {
        const id = await created();
        const { Name } = await engine.inspectContainer(id);
        await engine.rename(id, `${Name.slice(1)}-old`);
        const other = await created();
        await engine.rename(other, Name.slice(1));
        expect((await engine.inspectContainer(id)).Name).toBe(`${Name}-old`);
        expect((await engine.inspectContainer(Name.slice(1))).Id).toBe(other);
      });

      it('rejects with name_taken for a name that another bears', async () => {
        const [one, other] = [await created(), await created()];
        const taken = (await engine.inspectContainer(one)).Name.slice(1);
        await expect(engine.rename(other, taken)).rejects.toMatchObject({ code: 'name_taken' });
      });

      it('rejects with image_not_found for a container of an image that is not on the engine', async () => {
        await expect(created(['sleep', '1'], { Image: 'not-on-this-engine:1' })).rejects.toMatchObject({
          code: 'image_not_found',
        });
      });

      it('restarts a container', async () => {
        const id = await running();
        const { StartedAt } = (await engine.inspectContainer(id)).State;
        await eventually('a later moment', () => new Date().toISOString() > StartedAt);
        await engine.restart(id);
        const { State } = await engine.inspectContainer(id);
        expect(State.Running).toBe(true);
      });

      it('waits for the end of the main process and tells its exit code', async () => {
        const id = await created(['sh', '-c', 'exit 3']);
        await engine.start(id);
        expect(await engine.wait(id)).toBe(3);
        expect((await engine.inspectContainer(id)).State).toMatchObject({ Running: false, ExitCode: 3 });
      });

      it('stops waiting when told so, with the reason', async () => {
        const id = await running();
        const reason = new Error('enough');
        const abort = new AbortController();
        const waiting = engine.wait(id, abort.signal);
        abort.abort(reason);
        await expect(waiting).rejects.toBe(reason);
      });

      it('removes a container that is gone by itself after its end', async () => {
        const id = await running(['sleep', '1000'], { HostConfig: { NetworkMode: 'default', AutoRemove: true } });
        await engine.stop(id);
        await eventually('the container is gone', async () => !(await engine.containerIds()).includes(id));
        await engine.remove(id);
      });
    });

    describe('networks', () => {
      it('joins further networks with their aliases before the start', async () => {
        const id = await engine.createContainer(nameOf('joined'), {
          body: {
            Image: scene.image,
            Entrypoint: ['sleep'],
            Cmd: ['1000'],
            Labels: { [scene.prefix]: '' },
            HostConfig: { NetworkMode: 'default', AutoRemove: false },
            NetworkingConfig: { EndpointsConfig: {} },
          },
          connect: [{ network: scene.network, endpoint: { Aliases: ['api'] } }],
        });
        const { Networks } = (await engine.inspectContainer(id)).NetworkSettings;
        expect(Networks[scene.network]?.Aliases).toContain('api');
        expect(Object.keys(Networks).sort()).toEqual(['bridge', scene.network].sort());
      });

      it.each(['no-such-network', 'host'])(
        'leaves nothing behind when a further network refuses: %s',
        async (network) => {
          const name = nameOf('refused');
          const body = {
            Image: scene.image,
            HostConfig: { NetworkMode: 'default', AutoRemove: false },
            NetworkingConfig: { EndpointsConfig: {} },
          };
          const connect = [{ network, endpoint: {} }];
          await expect(engine.createContainer(name, { body, connect })).rejects.toMatchObject({
            code: 'engine_refused',
          });
          await expect(engine.inspectContainer(name)).rejects.toMatchObject({ code: 'container_not_found' });
        },
      );

      it('does not start two containers on one published port', async () => {
        const HostConfig = {
          NetworkMode: 'default',
          AutoRemove: false,
          PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '45099' }] },
        };
        const ports = { HostConfig, ExposedPorts: { '80/tcp': {} } };
        const first = await running(['sleep', '1000'], ports);
        const second = await created(['sleep', '1000'], ports);
        await expect(engine.start(second)).rejects.toMatchObject({ code: 'engine_refused' });
        await engine.stop(first);
        await engine.start(second);
        await engine.stop(second);
      });
    });

    describe('images', () => {
      it('tells the digest that the registry gives now', async () => {
        expect(await engine.registryDigest(scene.published.reference)).toBe(scene.published.digest);
        await expect(engine.registryDigest(scene.unpublished)).rejects.toMatchObject({ code: 'registry_refused' });
      });

      it('pulls by digest without moving a tag, then tags and untags', async () => {
        const { reference, digest } = scene.published;
        const byDigest = `${reference.replace(/:[^:/]*$/, '')}@${digest}`;
        const id = await engine.pull(byDigest, () => undefined);
        const image = await engine.inspectImage(byDigest);
        expect(image).toMatchObject({ Id: id, RepoTags: [], RepoDigests: [byDigest] });
        await expect(engine.inspectImage(reference)).rejects.toMatchObject({ code: 'image_not_found' });

        await engine.tag(id, reference);
        const second = `${reference}-second`;
        await engine.tag(id, second);
        expect((await engine.inspectImage(reference)).Id).toBe(id);
        await engine.untag(second);
        await engine.untag(second);
        await expect(engine.inspectImage(second)).rejects.toMatchObject({ code: 'image_not_found' });
        expect((await engine.inspectImage(reference)).RepoTags).toEqual([reference]);
      });

      it('removes an image by its ID, with its one tag, but not one that a container uses', async () => {
        const { reference, digest } = scene.published;
        const id = await engine.pull(`${reference.replace(/:[^:/]*$/, '')}@${digest}`, () => undefined);
        const container = await engine.inspectContainer(await running());
        await expect(engine.removeImage(container.Image)).rejects.toMatchObject({ code: 'engine_refused' });
        await engine.tag(id, reference);
        await engine.removeImage(id);
        await engine.removeImage(id);
        for (const name of [id, reference])
          await expect(engine.inspectImage(name)).rejects.toMatchObject({ code: 'image_not_found' });
      });

      it('moves a tag from one image to another', async () => {
        const { reference, digest } = scene.published;
        const tag = `${reference}-moving`;
        const old = (await engine.inspectImage(scene.image)).Id;
        const id = await engine.pull(`${reference.replace(/:[^:/]*$/, '')}@${digest}`, () => undefined);
        await engine.tag(old, tag);
        await engine.tag(id, tag);
        expect((await engine.inspectImage(tag)).Id).toBe(id);
        await engine.tag(old, tag);
        expect((await engine.inspectImage(tag)).Id).toBe(old);
        await engine.untag(tag);
      });

      it('rejects with pull_failed for a digest that the registry has not', async () => {
        const unknown = `${scene.published.reference.replace(/:[^:/]*$/, '')}@sha256:${'0'.repeat(64)}`;
        await expect(engine.pull(unknown, () => undefined)).rejects.toMatchObject({ code: 'pull_failed' });
      });
    });

    describe('commands', () => {
      it('tells exit code and both outputs apart', async () => {
        const id = await running();
        const result = await engine.exec(id, ['sh', '-c', 'echo out; echo err >&2; exit 3']);
        expect(result).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
      });

      it('tells a command that is not there by its exit code', async () => {
        const { exitCode } = await engine.exec(await running(), ['no-such-command']);
        expect([126, 127]).toContain(exitCode);
      });

      it('refuses a command in a container that does not run', async () => {
        await expect(engine.exec(await created(), ['true'])).rejects.toMatchObject({ code: 'engine_refused' });
      });

      it('keeps at most 64 KiB of an output, its end', async () => {
        const { stdout } = await engine.exec(await running(), [
          'sh',
          '-c',
          'head -c 300000 /dev/zero | tr "\\0" a; echo end',
        ]);
        expect(Buffer.byteLength(stdout)).toBe(64 * 1024);
        expect(stdout.endsWith('aend\n')).toBe(true);
      });

      it('passes environment to a command', async () => {
        const { stdout } = await engine.exec(await running(), ['sh', '-c', 'echo $GIVEN'], { env: ['GIVEN=yes'] });
        expect(stdout).toBe('yes\n');
      });

      it('stops waiting for a command when told so, with the reason', async () => {
        const reason = new Error('enough');
        const abort = new AbortController();
        const waiting = engine.exec(await running(), ['sleep', '60'], { signal: abort.signal });
        abort.abort(reason);
        await expect(waiting).rejects.toBe(reason);
      });

      it('streams binary output unchanged', async () => {
        const output = await engine.execOutput(await running(), ['sh', '-c', 'printf "\\0\\1\\377\\r\\n\\200"']);
        expect(await buffer(output)).toEqual(Buffer.from([0, 1, 255, 13, 10, 128]));
      });

      it('streams 100 MiB of output without losing a byte', async () => {
        const hash = createHash('sha256');
        let bytes = 0;
        for await (const part of await engine.execOutput(await running(), ['head', '-c', '104857600', '/dev/zero'])) {
          hash.update(part as Buffer);
          bytes += (part as Buffer).length;
        }
        expect(bytes).toBe(100 * MIB);
        expect(hash.digest('hex')).toBe(
          createHash('sha256')
            .update(Buffer.alloc(100 * MIB))
            .digest('hex'),
        );
      });

      it('never ends the output of a command that fails: it breaks, with what the command said last', async () => {
        const output = await engine.execOutput(await running(), ['sh', '-c', 'echo some; echo the reason >&2; exit 7']);
        await expect(buffer(output)).rejects.toMatchObject({
          code: 'exec_failed',
          message: expect.stringContaining('the reason'),
        });
      });

      it('feeds a command to its end', async () => {
        const input = Readable.from(Array.from({ length: 64 }, (_, at) => Buffer.alloc(65_536, at)));
        const result = await engine.execInput(await running(), ['sh', '-c', 'cat | wc -c'], input);
        expect(result).toEqual({ exitCode: 0, stdout: '4194304\n', stderr: '' });
      });

      it('tells the exit code of a command that ends while it is fed', async () => {
        const input = Readable.from(Array.from({ length: 512 }, (_, at) => Buffer.alloc(65_536, at)));
        const result = await engine.execInput(await running(), ['sh', '-c', 'head -c 10 >/dev/null; exit 4'], input);
        expect(result.exitCode).toBe(4);
        await eventually('the input is given up', () => input.destroyed);
      });

      it('fails with the error of the input when that breaks', async () => {
        const broken = new Error('the storage is gone');
        const input = Readable.from(
          (function* () {
            yield Buffer.alloc(1000);
            throw broken;
          })(),
        );
        await expect(engine.execInput(await running(), ['sh', '-c', 'cat | wc -c'], input)).rejects.toBe(broken);
      });
    });

    describe('files and logs', () => {
      it('unpacks a tar into a stopped container, and packs it again', async () => {
        const id = await created();
        const tar = pack();
        tar.entry({ name: 'pilot/one.txt' }, 'first');
        tar.entry({ name: 'pilot/deep/two.bin' }, Buffer.from([0, 255]));
        tar.finalize();
        await engine.extract(id, '/tmp', Readable.from(tar));
        expect(await contentOf(await engine.archive(id, '/tmp/pilot'))).toEqual({
          'pilot/one.txt': Buffer.from('first'),
          'pilot/deep/two.bin': Buffer.from([0, 255]),
        });
      });

      it('packs a folder with the folder itself first, and those in it, empty ones too, as entries of their own', async () => {
        const id = await created();
        const tar = pack();
        tar.entry({ name: 'pilot/deep/one.txt' }, 'first');
        tar.entry({ name: 'pilot/empty/', type: 'directory' });
        tar.finalize();
        await engine.extract(id, '/tmp', Readable.from(tar));
        const [first, ...others] = await entriesOf(await engine.archive(id, '/tmp/pilot'));
        expect(first).toBe('directory pilot/');
        expect(others.sort()).toEqual(['directory pilot/deep/', 'directory pilot/empty/', 'file pilot/deep/one.txt']);
        expect(await entriesOf(await engine.archive(id, '/tmp/pilot/deep/one.txt'))).toEqual(['file one.txt']);
      });

      it('refuses to pack what is not there', async () => {
        await expect(engine.archive(await created(), '/not/there')).rejects.toMatchObject({ code: 'engine_refused' });
      });

      it('keeps what is in a volume after the container is removed', async () => {
        const volumes = {
          HostConfig: { NetworkMode: 'default', AutoRemove: false, Binds: [`${scene.prefix}-kept:/kept`] },
        };
        const first = await created(['sleep', '1'], volumes);
        const tar = pack();
        tar.entry({ name: 'note.txt' }, 'still here');
        tar.finalize();
        await engine.extract(first, '/kept', Readable.from(tar));
        await engine.remove(first);
        const second = await created(['sleep', '1'], volumes);
        const found = await contentOf(await engine.archive(second, '/kept/note.txt'));
        expect(found).toEqual({ 'note.txt': Buffer.from('still here') });
      });

      it('takes the anonymous volumes of a container along when told so, and no named one', async () => {
        const named = `${scene.prefix}-named`;
        const HostConfig = { NetworkMode: 'default', AutoRemove: false, Binds: [`${named}:/named`] };
        const id = await created(undefined, { HostConfig, Volumes: { '/own': {} } });
        const volumes = (await engine.inspectContainer(id)).Mounts.map(({ Name = '' }) => Name);
        expect(await Promise.all(volumes.map((name) => scene.hasVolume(name)))).toEqual([true, true]);
        await engine.remove(id, { volumes: true });
        await engine.remove(id, { volumes: true });
        const left: string[] = [];
        for (const name of volumes) if (await scene.hasVolume(name)) left.push(name);
        expect(left).toEqual([named]);
      });

      it('tells the last log lines in order, with no control characters', async () => {
        const script = 'echo one; echo two; printf "\\033[31mred\\033[0m\\007\\n"';
        const id = await running(['sh', '-c', script]);
        await engine.wait(id);
        expect(await engine.logs(id, 2)).toEqual(['two', 'red']);
        expect(await engine.logs(id, 9, '2020-01-01T00:00:00.5Z')).toEqual(['one', 'two', 'red']);
        const { FinishedAt } = (await engine.inspectContainer(id)).State;
        const later = new Date(Date.parse(FinishedAt) + 1000).toISOString();
        expect(await engine.logs(id, 9, later)).toEqual([]);
      });
    });
  });
}
