import { openScene, type Scene } from './scene';

/** A scene on Monday, 2026-01-05, 03:00 in UTC, which is also its time zone, with the image of `nginx()`. */
export function openMonday(): Scene {
  const scene = openScene();
  scene.deps.timeZone = 'UTC';
  scene.engine.addImage({ reference: 'nginx:stable' });
  return scene;
}
