import type { Platform } from '../../src/domain/recreate/platform';
import type { ImageConfig, RegistryImages } from '../../src/ports/registry';

export interface ImagesScene {
  images: RegistryImages;
  /** `host/name`. */
  repository: string;
  own: Platform;
  other: Platform;
  /**
   * Digests of one repository: an image, an index with it for the own platform and another image for the other one, and the
   * same index with one more entry that is not for any platform.
   */
  image: string;
  index: string;
  grown: string;
  /** Of that image. */
  config: ImageConfig;
  /** References with a digest: that the registry does not have, and of a registry that does not answer. */
  unknown: string;
  away: string;
  takeDown(): unknown;
}

/** Every promise of `RegistryImages`. */
export function registryImagesContract(name: string, setUp: () => Promise<ImagesScene>): void {
  describe(`${name} keeps the promises of the registry's images`, () => {
    let scene: ImagesScene;
    beforeAll(async () => (scene = await setUp()));
    afterAll(() => scene?.takeDown());

    const at = (digest: string): string => `${scene.repository}@${digest}`;

    it('names the same image for two digests of an index in which only others changed', async () => {
      const { images, own, index, grown } = scene;
      expect(index).not.toBe(grown);
      const image = await images.imageOf(at(index), own);
      expect(image).toEqual({
        manifest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        config: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      });
      expect(await images.imageOf(at(grown), own)).toEqual(image);
    });

    it('names one that is published without an index alike', async () => {
      const { images, own, image, index } = scene;
      expect(await images.imageOf(at(image), own)).toEqual(await images.imageOf(at(index), own));
    });

    it('names another one for another platform, and none where there is none', async () => {
      const { images, own, other, index } = scene;
      const theirs = await images.imageOf(at(index), other);
      expect(theirs?.config).not.toBe((await images.imageOf(at(index), own))?.config);
      expect(await images.imageOf(at(index), { ...own, architecture: 's390x' })).toBeNull();
    });

    it('gives the labels and the environment of the image of the platform, and none where it names none', async () => {
      const { images, own, image, index, config } = scene;
      expect(await images.configOf(at(image), own)).toEqual(config);
      expect(await images.configOf(at(index), own)).toEqual(config);
      expect(await images.configOf(at(index), { ...own, architecture: 's390x' })).toBeNull();
      await expect(images.configOf(scene.unknown, own)).rejects.toMatchObject({ code: 'registry_refused' });
      await expect(images.configOf(scene.away, own)).rejects.toMatchObject({ code: 'registry_unreachable' });
    });

    it('says of a digest that is not there that the registry refuses it', async () => {
      await expect(scene.images.imageOf(scene.unknown, scene.own)).rejects.toMatchObject({ code: 'registry_refused' });
    });

    it('says of a registry that does not answer that it cannot be reached', async () => {
      await expect(scene.images.imageOf(scene.away, scene.own)).rejects.toMatchObject({ code: 'registry_unreachable' });
    });
  });
}
