import { askRegistry } from '../../src/decisions/ask-registry';
import { runsSameImage } from '../../src/decisions/look-into';
import { readContainers } from '../../src/containers/read-containers';
import type { ContainerInspect, ImageInspect } from '../../src/domain/engine-inspect';
import type { PlatformImage } from '../../src/ports/registry';
import { digest } from '../support/container-builder';
import { nginx, openScene, type Scene } from '../support/scene';

// The containerd image store: an image ID is the digest of an index, so no configuration's digest can be compared with it.
const [OLD, NEW, MANIFEST, OTHER, CONFIG] = [digest('1'), digest('2'), digest('3'), digest('4'), digest('5')];
let scene: Scene;
let registry: Record<string, PlatformImage>;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable', digest: OLD, id: OLD });
  scene.engine.runContainer(nginx());
  registry = { [NEW]: { manifest: MANIFEST, config: CONFIG }, [OLD]: { manifest: MANIFEST, config: CONFIG } };
  scene.deps.registryImages.imageOf = (reference) => Promise.resolve(registry[reference.split('@')[1] ?? ''] ?? null);
});
afterEach(() => scene.close());

async function ask(): Promise<boolean> {
  const [container] = await readContainers(scene.engine, null);
  const target = { reference: 'docker.io/library/nginx:stable', digest: NEW };
  return runsSameImage(scene.deps, container!, target, askRegistry(scene.deps));
}
const described = (descriptor: ContainerInspect['ImageManifestDescriptor']): void => {
  const inspect = scene.engine.inspectContainer.bind(scene.engine);
  scene.engine.inspectContainer = async (id) => ({ ...(await inspect(id)), ImageManifestDescriptor: descriptor! });
};
const imageIs = (fields: Partial<ImageInspect>): void => {
  const inspect = scene.engine.inspectImage.bind(scene.engine);
  scene.engine.inspectImage = async (id) => ({ ...(await inspect(id)), ...fields });
};

test('two indexes with one manifest for the platform are the same image', async () => {
  expect(await ask()).toBe(true);
  registry[OLD] = { manifest: OTHER, config: CONFIG };
  expect(await ask()).toBe(false);
});

test('the manifest that the engine reports decides, also when the registry no longer has the old index', async () => {
  delete registry[OLD];
  expect(await ask()).toBe(false);
  described({ digest: MANIFEST, platform: { os: 'linux', architecture: 'amd64' } });
  expect(await ask()).toBe(true);
  described({ digest: OTHER, platform: { os: 'linux', architecture: 'amd64' } });
  expect(await ask()).toBe(false);
});

test('no proof where the variant of an arm image is not certain, or the platform is unknown', async () => {
  imageIs({ Architecture: 'arm' });
  expect(await ask()).toBe(false);
  imageIs({ Architecture: '' });
  expect(await ask()).toBe(false);
});

test('no proof for an image that was built here', async () => {
  imageIs({ RepoDigests: [] });
  expect(await ask()).toBe(false);
});
