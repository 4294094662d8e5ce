import { isOpen } from '../../src/domain/update';
import type { Scene } from './scene';

/** Whatever an update came to, `finishedAt` tells when; one that is open has none (docs/api.md). */
export function expectEndsHaveTimes(scene: Scene): void {
  for (const { id, status, finishedAt } of scene.updates())
    expect([id, status, finishedAt === null]).toEqual([id, status, isOpen(status)]);
}
