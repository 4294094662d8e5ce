import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './engine/debian-packages';
import type { DockerCli } from './engine/docker-cli';
import { removeLeftovers } from './engine/leftovers';
import { openEngine, type LabEngine } from './engine/open-engine';
import { clearOtherEngines } from './engine/other-engine';
import { clearPodman } from './engine/podman';
import { openView } from './engine/view';
import { imageBuilder, type LabImages } from './images/build-images';
import { imageOrigin } from './images/image-origin';
import { guests, labDir, labelOf, labParts, marksOf, scratchRoot, type Lab, type Say } from './lab';
import { takeLabLock } from './lab-lock';
import {
  forgetMadeImages,
  forgetRegistries,
  imagesMade,
  noteMadeImage,
  noteRegistry,
  registriesSoFar,
} from './lab-record';
import { type Closers } from './closers';
import { endStrays } from './lasting-process';
import { unmountBelow } from './mounts';
import { clearNodes } from './nodes/nodes';
import { runRegistry } from './registry/run-registry';

export interface OpenLab extends Lab {
  engineKind: LabEngine['kind'];
  /** Has something ended when the lab goes, before any part of it does. */
  atEnd(what: string, close: () => unknown): Promise<void>;
}

/**
 * Brings the lab up: engine, images, registry. Clears first what a crashed run left. Each part that is up is handed to
 * `closers` at once. Throws LabUnavailable when this machine cannot host it, LabBusy when another lab works in the folder.
 */
export async function openLab(say: Say, closers: Closers): Promise<OpenLab> {
  const dir = labDir();
  mkdirSync(dir, { recursive: true });
  await closers.add('the lock', takeLabLock(dir));
  await clearProcesses(dir, say);
  await closers.add('scratch folders', () => removeScratch(dir));
  const { docker, kind } = await bringUpEngine(dir, say, closers);
  const origin = await imageOrigin(docker.host);
  say(`engine: ${kind} (${docker.host}); base images: ${origin}`);
  const viewHost = kind === 'given' ? await bringUpView(dir, docker, closers) : docker.host;
  const images = await buildImages(dir, docker, origin, say);
  await closers.add('containers, volumes, networks', () => clearEngine(dir, docker));
  const registry = await runRegistry({ dir, docker, label: labelOf(dir), origin, say });
  await closers.add('the registry', () => registry.stop());
  noteRegistry(dir, registry.address);
  await closers.add('processes', () => endGuests(dir));
  const lab = labParts({ dir, docker, viewHost, origin, images, registryAddress: registry.address });
  await lab.registry.carryIn(Object.values(images));
  say(`registry: ${registry.address}`);
  return { ...lab, engineKind: kind, atEnd: (what, close) => closers.add(what, close) };
}

async function bringUpEngine(dir: string, say: Say, closers: Closers): Promise<LabEngine> {
  const engine = await openEngine(dir, say);
  await closers.add('the engine', () => engine.close());
  await clearEngine(dir, engine.docker);
  forgetRegistries(dir);
  if (engine.kind === 'given') await closers.add('images', () => removeMadeImages(engine.docker, dir, say));
  return engine;
}

/** A private engine has nothing on it that is not the lab's. */
async function bringUpView(dir: string, docker: DockerCli, closers: Closers): Promise<string> {
  const view = await openView(docker.host, join(dir, 'view.sock'), marksOf(dir));
  await closers.add('the view of the engine', () => view.close());
  return view.host;
}

function clearEngine(dir: string, docker: DockerCli): Promise<void> {
  return removeLeftovers(docker, marksOf(dir), registriesSoFar(dir));
}

async function clearProcesses(dir: string, say: Say): Promise<void> {
  for (const stray of [...(await endGuests(dir)), ...(await endStrays(dir))]) {
    say(`ended what an earlier run left behind: ${stray}`);
  }
  await removeScratch(dir);
}

/** A run that was killed leaves a file system mounted, such as a cloud drive by FUSE, in which nothing can be removed. */
async function removeScratch(dir: string): Promise<void> {
  await unmountBelow(scratchRoot(dir));
  rmSync(scratchRoot(dir), { recursive: true, force: true });
}

/** A second engine leaves more behind than a process. */
async function endGuests(dir: string): Promise<string[]> {
  const ended = await endStrays(guests(dir));
  await clearOtherEngines(dir);
  await clearNodes(dir);
  await clearPodman(dir);
  return ended;
}

async function buildImages(
  dir: string,
  docker: DockerCli,
  origin: 'public' | 'distribution',
  say: Say,
): Promise<LabImages> {
  if (origin === 'distribution') await ensureInstalled(['debootstrap'], say);
  const cacheDir = join(dir, 'cache');
  mkdirSync(cacheDir, { recursive: true });
  return imageBuilder(docker, { origin, cacheDir, say, made: (tag) => noteMadeImage(dir, tag) }).buildAll();
}

/** A guest takes its images along, unless LAB_KEEP_IMAGES=1; one that somebody uses by now stays. */
async function removeMadeImages(docker: DockerCli, dir: string, say: Say): Promise<void> {
  if (process.env['LAB_KEEP_IMAGES'] === '1') return;
  for (const tag of imagesMade(dir)) {
    const outcome = await docker.attempt(['image', 'rm', tag]);
    if (outcome.code !== 0 && !/no such image/i.test(outcome.stderr))
      say(`image ${tag} stays: ${outcome.stderr.trim()}`);
  }
  forgetMadeImages(dir);
}
