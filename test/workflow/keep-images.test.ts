import { requestUpdate } from '../../src/decisions/request-update';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
let images: string[];
beforeEach(() => {
  scene = openScene();
  images = [scene.engine.addImage({ reference: 'nginx:stable' }).id];
});
afterEach(() => scene.close());

async function update(times: number): Promise<void> {
  for (let each = 0; each < times; each++) {
    const image = scene.engine.publish('nginx:stable');
    images.push(image.id);
    scene.hear('docker.io/library/nginx:stable', image.digest);
    await scene.settle();
    const own = scene.updates().filter(({ container }) => container === 'web-nginx-1');
    expect(own.at(-1)).toMatchObject({ status: 'succeeded' });
    await scene.clock.advance(60_000);
  }
}

/** Of all that ran one after the other, which are left. */
const left = (): number[] => {
  const onEngine = scene.engine.host.images.onEngine;
  return images.flatMap((id, index) => (onEngine.has(id) ? [index] : []));
};

test('by default no image is ever removed', async () => {
  scene.engine.runContainer(nginx());
  await update(3);
  expect(left()).toEqual([0, 1, 2, 3]);
});

test('older images beyond the number are removed, the newest of them stay', async () => {
  scene.engine.runContainer(nginx({ labels: { 'update.keep-images': '1' } }));
  await update(4);
  expect(left()).toEqual([3, 4]);
});

test('the default of the settings counts where there is no label', async () => {
  scene.deps.keepImages = 0;
  scene.engine.runContainer(nginx());
  await update(2);
  expect(left()).toEqual([2]);
});

test('an image that diun-pilot did not replace stays, and so does one that is used or has a tag', async () => {
  const foreign = scene.engine.addImage({ reference: 'nginx:old' });
  scene.deps.keepImages = 0;
  scene.engine.runContainer(nginx());
  await update(1);
  scene.engine.host.images.tags.set('nginx:keep', images[1] ?? '');
  await update(1);
  expect(left()).toEqual([1, 2]);
  expect(scene.engine.host.images.onEngine.has(foreign.id)).toBe(true);
});

test('an image that no registry has is not removed', async () => {
  scene.engine.host.images.repoDigests.clear();
  scene.engine.runContainer(nginx({ labels: { 'update.keep-images': '0' } }));
  for (let each = 0; each < 2; each++) {
    images.push(scene.engine.publish('nginx:stable').id);
    await requestUpdate(scene.deps, { container: 'web-nginx-1' });
    await scene.settle();
    await scene.clock.advance(60_000);
  }
  expect(left()).toEqual([0, 2]);
});

test('of two containers of one repository, the one that keeps more decides', async () => {
  scene.engine.runContainer(nginx({ labels: { 'update.keep-images': '0' } }));
  scene.engine.addImage({ reference: 'nginx:other' });
  scene.engine.runContainer(
    nginx({ name: 'web-other-1', image: 'nginx:other', ports: {}, labels: { 'update.keep-images': '2' } }),
  );
  await update(4);
  expect(left()).toEqual([2, 3, 4]);
});

test('an image that the engine does not give up is reported, and removed after the next update', async () => {
  scene.deps.keepImages = 0;
  scene.engine.runContainer(nginx());
  scene.engine.failNext('removeImage', new Error('conflict'));
  await update(1);
  expect(left()).toEqual([0, 1]);
  expect(scene.log.some(({ message }) => message === 'an old image cannot be removed')).toBe(true);
  await update(1);
  expect(left()).toEqual([2]);
});

test('the engine is not even asked to remove an image that another container uses', async () => {
  scene.deps.keepImages = 0;
  scene.engine.runContainer(nginx({ name: 'by-hand', ports: {}, labels: { 'diun.enable': 'false' } }));
  scene.engine.runContainer(nginx());
  await update(2);
  expect(left()).toEqual([0, 2]);
  expect(scene.log.some(({ message }) => message === 'an old image cannot be removed')).toBe(false);
});

describe('a new tag', () => {
  async function updateTo(...tags: string[]): Promise<void> {
    for (const tag of tags) {
      const image = `nginx:${tag}`;
      images.push(scene.engine.publish(image).id);
      await requestUpdate(scene.deps, { container: 'web-nginx-1', image });
      await scene.settle();
      expect(scene.updates().at(-1)).toMatchObject({ status: 'succeeded' });
      await scene.clock.advance(60_000);
    }
  }
  beforeEach(() => {
    images = [scene.engine.addImage({ reference: 'nginx:1.1' }).id];
    scene.engine.runContainer(nginx({ image: 'nginx:1.1', labels: { 'update.keep-images': '1' } }));
  });

  test('leaves the old image its own tag, with which it is removed', async () => {
    await updateTo('1.2', '1.3', '1.4');
    expect(left()).toEqual([2, 3]);
    expect([...scene.engine.host.images.tags.keys()]).not.toContain('nginx:1.2');
  });

  test('does not remove an image that has another tag as well, or whose tag a container names', async () => {
    const { engine } = scene;
    engine.host.images.tags.set('nginx:mine', images[0] ?? '');
    await updateTo('1.2');
    const labels = { 'update.keep-images': '1' };
    engine.runContainer(nginx({ name: 'by-hand', image: 'nginx:1.2', ports: {}, stopped: true, labels }));
    engine.host.find('by-hand').inspect.Image = images[0] ?? '';
    await updateTo('1.3', '1.4', '1.5');
    expect(left()).toEqual([0, 1, 3, 4]);
  });
});
