import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerInspect, ImageInspect } from '../../src/domain/engine-inspect';

const FOLDER = join(__dirname, '../fixtures/inspect');

/** The inspect result of a situation (test/support/situations), as the real engine gave it. */
export function recordedContainer(situation: string): ContainerInspect {
  return read(situation) as ContainerInspect;
}

/** The two releases that the situations are about: they differ in all that an image can say. */
export function recordedImages(): { oldImage: ImageInspect; newImage: ImageInspect } {
  return { oldImage: read('image-old') as ImageInspect, newImage: read('image-new') as ImageInspect };
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
}
