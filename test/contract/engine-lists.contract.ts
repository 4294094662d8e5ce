import { isDeepStrictEqual } from 'node:util';
import type { Engine } from '../../src/ports/engine';
import { eventually } from '../support/eventually';
import { containersOf, type EngineScene } from './engine-scene';

/** What the lists of containers and images say is what an inspect of each says at that moment. */
export function engineListsContract(name: string, setUp: () => Promise<EngineScene>): void {
  describe(`${name} lists what an inspect says`, () => {
    let scene: EngineScene;
    let engine: Engine;

    beforeAll(async () => {
      scene = await setUp();
      engine = scene.engine;
    });

    afterAll(() => scene?.takeDown());

    const { created } = containersOf(() => scene);

    async function listed(id: string): Promise<unknown> {
      const found = (await engine.containers()).find((each) => each.id === id);
      return found && { name: found.name, running: found.running, networks: Object.keys(found.networks) };
    }

    const running = async (id: string): Promise<boolean | undefined> =>
      (await engine.containers()).find((each) => each.id === id)?.running;

    async function inspected(id: string): Promise<unknown> {
      const { Name, State, NetworkSettings } = await engine.inspectContainer(id);
      return { name: Name.slice(1), running: State.Running, networks: Object.keys(NetworkSettings.Networks) };
    }

    it('a container that was only created, runs, was renamed, is stopped and is removed', async () => {
      const id = await created();
      expect(await listed(id)).toEqual(await inspected(id));
      await engine.start(id);
      await eventually('the start is listed', async () => (await running(id)) === true);
      expect(await listed(id)).toEqual(await inspected(id));
      const { Name } = await engine.inspectContainer(id);
      await engine.rename(id, `${Name.slice(1)}-renamed`);
      expect(await listed(id)).toMatchObject({ name: `${Name.slice(1)}-renamed` });
      await engine.stop(id);
      await eventually('the stop is listed', async () => (await running(id)) === false);
      expect(await listed(id)).toEqual(await inspected(id));
      await engine.remove(id);
      await eventually('the removal is listed', async () => (await listed(id)) === undefined);
    });

    it('what a container was created with stays as it is through a stop, a rename and a start', async () => {
      const id = await created(undefined, { Volumes: { '/data': {} } });
      const before = await engine.inspectContainer(id);
      await engine.start(id);
      await engine.stop(id);
      await engine.rename(id, `${before.Name.slice(1)}-again`);
      await engine.start(id);
      const after = await engine.inspectContainer(id);
      for (const part of ['Id', 'Image', 'Created', 'Config', 'Mounts'] as const)
        expect(after[part]).toEqual(before[part]);
      expect(after.HostConfig).toEqual(before.HostConfig);
    });

    /** What an image is called. Other tests tag and untag the same image, so that both sides are of one moment. */
    async function namesOf(image: string): Promise<{ listed: unknown; inspected: unknown; tags: string[] }> {
      const before = await engine.inspectImage(image);
      const found = (await engine.images()).find(({ id }) => id === before.Id);
      const { RepoTags, RepoDigests } = await engine.inspectImage(image);
      const inspected = { tags: (RepoTags ?? []).toSorted(), digests: (RepoDigests ?? []).toSorted() };
      const unchanged = isDeepStrictEqual(inspected, {
        tags: (before.RepoTags ?? []).toSorted(),
        digests: (before.RepoDigests ?? []).toSorted(),
      });
      if (!unchanged) return namesOf(image);
      const listed = found && { tags: found.repoTags.toSorted(), digests: found.repoDigests.toSorted() };
      return { listed, inspected, tags: inspected.tags };
    }

    it('an image with the tags and digests that it has by then', async () => {
      const names = async (): Promise<string[]> => {
        const { listed, inspected, tags } = await namesOf(scene.image);
        expect(listed).toEqual(inspected);
        return tags;
      };
      const { Id } = await engine.inspectImage(scene.image);
      const also = `${scene.prefix}-listed:1`;
      await engine.tag(Id, also);
      expect(await names()).toContain(also);
      await engine.untag(also);
      expect(await names()).not.toContain(also);
    });

    it('an image that was pulled by its digest', async () => {
      const { reference, digest } = scene.published;
      const id = await engine.pull(`${reference.replace(/:[^:/]*$/, '')}@${digest}`, () => undefined);
      const { listed, inspected } = await namesOf(id);
      expect(listed).toEqual(inspected);
      expect(listed).toMatchObject({ digests: expect.arrayContaining([expect.stringContaining(digest)]) });
    });
  });
}
