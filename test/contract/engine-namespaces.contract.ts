import type { CreateRequest } from '../../src/domain/engine-inspect';
import type { ContainerEvent, Engine } from '../../src/ports/engine';
import { eventually } from '../support/eventually';
import { containersOf, type EngineScene } from './engine-scene';

/**
 * Promises of ports/engine about containers that live in the network of another, about what happens to containers, and about
 * those that crash again and again.
 */
export function engineNamespacesContract(name: string, setUp: () => Promise<EngineScene>): void {
  describe(`${name}, where one container lives in the network of another`, () => {
    let scene: EngineScene;
    let engine: Engine;

    beforeAll(async () => {
      scene = await setUp();
      engine = scene.engine;
    });

    afterAll(() => scene?.takeDown());

    const { created, running } = containersOf(() => scene);

    it('starts a container in the network of another only while that one runs, and keeps the reason', async () => {
      const owner = await created();
      const NetworkMode = `container:${owner}`;
      const guest = await created(['sleep', '1000'], { HostConfig: { NetworkMode, AutoRemove: false } });
      const reason = /cannot join network of a non running container/;
      await expect(engine.start(guest)).rejects.toMatchObject({
        code: 'engine_refused',
        message: expect.stringMatching(reason),
      });
      expect((await engine.inspectContainer(guest)).State).toMatchObject({
        Running: false,
        Error: expect.stringMatching(reason),
      });
      await engine.start(owner);
      await engine.start(guest);
      const { State, HostConfig } = await engine.inspectContainer(guest);
      expect(State).toMatchObject({ Running: true, Error: '' });
      expect(HostConfig.NetworkMode).toBe(NetworkMode);
    });

    it('does not start a container whose program is not in its image, and keeps the reason', async () => {
      const id = await created(['/missing/program']);
      const reason = /no such file or directory/;
      await expect(engine.start(id)).rejects.toMatchObject({
        code: 'engine_refused',
        message: expect.stringMatching(reason),
      });
      expect((await engine.inspectContainer(id)).State).toMatchObject({
        Running: false,
        Error: expect.stringMatching(reason),
      });
    });

    it('tells of what happens to containers, whoever does it, until it is told to stop', async () => {
      const stop = new AbortController();
      const events = (await engine.events(['start'], stop.signal))[Symbol.asyncIterator]();
      const id = await running();
      await engine.restart(id);
      const ours: string[] = [];
      while (ours.length < 2) {
        const { value } = (await events.next()) as IteratorYieldResult<ContainerEvent>;
        if (value.containerId === id) ours.push(value.action);
      }
      expect(ours).toEqual(['start', 'start']);
      const reason = new Error('enough');
      const toTheEnd = async (): Promise<void> => {
        while ((await events.next()).done !== true); // of containers of others
      };
      const end = toTheEnd();
      stop.abort(reason);
      await expect(end).rejects.toBe(reason);
    });

    it('refuses ports and a host name in the network of another', async () => {
      const HostConfig = { NetworkMode: `container:${await running()}`, AutoRemove: false };
      const ports = { ...HostConfig, PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '45098' }] } };
      const refused: Partial<CreateRequest['body']>[] = [
        { HostConfig: ports },
        { HostConfig, ExposedPorts: { '80/tcp': {} } },
        { HostConfig, Hostname: 'own' },
      ];
      for (const change of refused) {
        await expect(created(['sleep', '1'], change)).rejects.toMatchObject({ code: 'engine_refused' });
      }
    });

    it('refuses a new name for one that waits for its restart, until it is stopped', async () => {
      const id = await created(['sh', '-c', 'exit 3'], {
        HostConfig: { NetworkMode: 'default', AutoRemove: false, RestartPolicy: { Name: 'always' } },
      });
      const { Name } = await engine.inspectContainer(id);
      await engine.start(id);
      // From the fourth restart on it waits for longer than a look takes.
      await eventually('it waits', async () => {
        await scene.passTime?.();
        const { State, RestartCount } = await engine.inspectContainer(id);
        return State.Restarting && RestartCount >= 4;
      });
      await expect(engine.rename(id, `${Name.slice(1)}-old`)).rejects.toMatchObject({ code: 'engine_refused' });
      expect((await engine.inspectContainer(id)).Name).toBe(Name);
      await engine.stop(id);
      await engine.rename(id, `${Name.slice(1)}-old`);
      expect((await engine.inspectContainer(id)).Name).toBe(`${Name}-old`);
    });
  });
}
