import { adoptAside } from '../../src/containers/adopt-aside';
import type { Scene } from './scene';

/** As a process that starts on the same database: it looks for what earlier ones left, and works. */
export async function nextStart(open: Scene): Promise<Scene> {
  const scene = open.restart();
  await adoptAside(scene.deps);
  await scene.settle();
  return scene;
}
