import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What the lab must still know after a crash, as lines in two files of its folder. */
const REGISTRIES = 'registries';
const IMAGES = 'images-made';

/** Addresses of the registries of this folder's labs since the last tidy end. */
export function registriesSoFar(dir: string): string[] {
  return lines(dir, REGISTRIES);
}

export function noteRegistry(dir: string, address: string): void {
  appendFileSync(join(dir, REGISTRIES), `${address}\n`);
}

export function forgetRegistries(dir: string): void {
  rmSync(join(dir, REGISTRIES), { force: true });
}

/** Images that the lab pulled or built on this engine, the last one first. */
export function imagesMade(dir: string): string[] {
  return [...new Set(lines(dir, IMAGES))].reverse();
}

export function noteMadeImage(dir: string, tag: string): void {
  appendFileSync(join(dir, IMAGES), `${tag}\n`);
}

export function forgetMadeImages(dir: string): void {
  rmSync(join(dir, IMAGES), { force: true });
}

function lines(dir: string, name: string): string[] {
  const file = join(dir, name);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
