import type { RegistryTags } from '../../src/ports/registry';

export interface TagsScene {
  tags: RegistryTags;
  /** `host/name` of a repository in which nothing is published yet. */
  repository: string;
  publish(tag: string): unknown;
  /** References: to a repository that the registry has not, and to a registry that does not answer. */
  unknown: string;
  away: string;
  takeDown(): unknown;
}

/** Every promise of `RegistryTags`. */
export function registryTagsContract(name: string, setUp: () => Promise<TagsScene>): void {
  describe(`${name} keeps the promises of the registry's tags`, () => {
    let scene: TagsScene;
    beforeAll(async () => (scene = await setUp()));
    afterAll(() => scene?.takeDown());

    it('lists the tags that can be compared with the one that is asked by, published or not', async () => {
      for (const tag of ['1.27.3', '1.27.4', '2.0.0', 'stable', '1.27', '1.27.4-alpine']) await scene.publish(tag);
      for (const [tag, comparable] of [
        ['1.27.3', ['1.27.3', '1.27.4', '2.0.0']],
        ['1.99.0', ['1.27.3', '1.27.4', '2.0.0']],
        ['1.27.3-alpine', ['1.27.4-alpine']],
        ['stable', ['stable']],
        ['never-published', []],
      ] as const) {
        const listed = await scene.tags.tags(`${scene.repository}:${tag}`);
        expect([tag, listed.sort()]).toEqual([tag, comparable]);
      }
    });

    it('lists one that moved to another image once', async () => {
      await scene.publish('moving');
      await scene.publish('moving');
      const listed = await scene.tags.tags(`${scene.repository}:moving`);
      expect(listed.filter((tag) => tag === 'moving')).toHaveLength(1);
    });

    it('says of a repository that is not there that the registry refuses it', async () => {
      await expect(scene.tags.tags(scene.unknown)).rejects.toMatchObject({ code: 'registry_refused' });
    });

    it('says of a registry that does not answer that it cannot be reached', async () => {
      await expect(scene.tags.tags(scene.away)).rejects.toMatchObject({ code: 'registry_unreachable' });
    });
  });
}
