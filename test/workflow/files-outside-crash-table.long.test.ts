import { adoptAside } from '../../src/containers/adopt-aside';
import { nginx, openScene, type Scene } from '../support/scene';

// The process dies before and after every call of an update whose old container has files in its own layer.

const NAME = 'web-nginx-1';
const TAG = 'nginx:stable';
const FILES = { '/data/app.db': 'rows', '/data/sub/upload.jpg': 'picture' };

async function crashed(at: number, when: 'before' | 'after'): Promise<{ scene: Scene; calls: number }> {
  const first = openScene();
  first.engine.addImage({ reference: TAG });
  const id = first.engine.runContainer(nginx());
  for (const [path, text] of Object.entries(FILES)) first.engine.files(id).write(path, text);
  first.hear('docker.io/library/nginx:stable', first.engine.publish(TAG).digest);
  if (at === 0) {
    await first.settle();
    return { scene: first, calls: first.engine.callCount };
  }
  await Promise.race([first.engine.crashAt(at, when), first.settle()]);
  const second = first.restart();
  await adoptAside(second.deps);
  await second.settle();
  return { scene: second, calls: at };
}

function look(scene: Scene): unknown {
  const { engine, store } = scene;
  const aside = engine.containerNames().filter((name) => name !== NAME);
  return {
    status: scene.updates().map(({ status }) => status),
    runs: engine.isRunning(NAME) && engine.tagged(TAG) === engine.container(NAME).Image,
    aside: aside.map((name) => name.replace(/^.*\.diun-pilot-(\w+)-.*$/, '$1')),
    copy: aside.map((name) => Object.keys(FILES).map((path) => engine.files(name).read(path)?.toString())),
    listed: store.keptContainers.all().map(({ name, leftover }) => [aside.includes(name), leftover]),
  };
}

const RIGHT = {
  status: ['succeeded'],
  runs: true,
  aside: ['kept'],
  copy: [Object.values(FILES)],
  listed: [[true, false]],
};

it('always ends with the new container, one whole copy of the files that is listed, and nothing else', async () => {
  const { scene: whole, calls } = await crashed(0, 'before');
  expect(look(whole)).toEqual(RIGHT);
  whole.close();
  const wrong: unknown[] = [];
  for (let at = 1; at <= calls; at++) {
    for (const when of ['before', 'after'] as const) {
      const { scene } = await crashed(at, when);
      const seen = look(scene);
      if (JSON.stringify(seen) !== JSON.stringify(RIGHT)) wrong.push([`${when} call ${at}`, seen]);
      scene.close();
    }
  }
  expect(wrong).toEqual([]);
}, 120_000);
