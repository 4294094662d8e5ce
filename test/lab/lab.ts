import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerCli } from './engine/docker-cli';
import type { Marks } from './engine/marks';
import { imageBuilder, type ImageOrigin, type LabImages } from './images/build-images';
import { noteMadeImage } from './lab-record';
import { Registry } from './registry/registry';

/** What the tests and the demo work with, whoever opened it. */
export interface Lab {
  /** Part of the name of every compose project. */
  id: string;
  dir: string;
  docker: DockerCli;
  /**
   * The engine for Diun and diun-pilot, by whose rules they act on whatever they find there: on somebody's engine they
   * find the lab's own containers alone. `unix://…`.
   */
  viewHost: string;
  /** Where base images come from here; tells also whether public images can be pulled. */
  origin: ImageOrigin;
  images: LabImages;
  registry: Registry;
  /** The same image under another digest; `mark` tells one variant from another. */
  variantOf(image: string, mark: string): Promise<string>;
  /** A new folder that goes with the lab. */
  scratch(name: string): string;
  /** `diun-pilot.lab=ID`, for whatever is started without Compose. */
  label: string;
}

export type Say = (line: string) => void;

/** What the opener of a lab knows, and exports. */
export interface LabBasis extends Pick<Lab, 'dir' | 'docker' | 'viewHost' | 'origin' | 'images'> {
  registryAddress: string;
}

export function labParts({ registryAddress, ...basis }: LabBasis): Lab {
  const { dir, docker, origin } = basis;
  const builder = imageBuilder(docker, {
    origin,
    cacheDir: join(dir, 'cache'),
    say: () => undefined,
    made: (tag) => noteMadeImage(dir, tag),
  });
  return {
    ...basis,
    id: labId(dir),
    registry: new Registry(registryAddress, docker),
    variantOf: (image, mark) => builder.variantOf(image, mark),
    scratch: (name) => scratch(dir, name),
    label: labelOf(dir),
  };
}

export function labDir(): string {
  return process.env['LAB_DIR'] ?? '/var/tmp/diun-pilot-lab';
}

export function scratchRoot(dir: string): string {
  return join(dir, 'scratch');
}

/** The folder in which processes of tests and demo are remembered: they end before engine and registry do. */
export function guests(dir: string): string {
  return join(dir, 'guests');
}

export function marksOf(dir: string): Marks {
  return { label: labelOf(dir), projectPrefix: projectName(labId(dir), '') };
}

export function labelOf(dir: string): string {
  return `diun-pilot.lab=${labId(dir)}`;
}

/** What a container mounts in the place of the engine's socket. */
export function viewSocket({ viewHost }: Lab): string {
  if (!viewHost.startsWith('unix://')) throw new Error(`${viewHost} is no socket that a container could mount`);
  return viewHost.slice('unix://'.length);
}

/** A compose project's name, or that of anything else of the lab on the engine: by it the lab knows its own. */
export function projectName(id: string, name: string): string {
  return `diunpilot-lab-${id}-${name}`;
}

/** Short and the same for the same folder. */
export function labId(dir: string): string {
  return createHash('sha256').update(dir).digest('hex').slice(0, 4);
}

function scratch(dir: string, name: string): string {
  const root = scratchRoot(dir);
  if (!existsSync(root)) mkdirSync(root, { recursive: true });
  return mkdtempSync(join(root, `${name}-`));
}
