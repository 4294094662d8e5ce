import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Lab } from '../lab';
import { Registry } from '../registry/registry';
import { DockerCli } from './docker-cli';
import { otherEnginePlace, type EnginePlace, type OtherKind } from './engine-place';
import { clearPrivateEngine, startPrivateEngine, type PrivateEngine } from './private-engine';

/** A second engine beside the lab's, empty at its start: another machine, or one that may be restarted. */
export interface OtherEngine {
  readonly engine: PrivateEngine;
  /** The same registry, scratch folders and images' names, but this engine; `carry` what is to be there by its name. */
  readonly lab: Lab;
  /** Brings images over, under the names that they have on the lab's engine. */
  carry(...images: string[]): Promise<void>;
  /** Nothing of it stays. */
  close(): Promise<void>;
}

/** Why no second engine can be started here; null: it can. */
export function whyNoOtherEngine(): string | null {
  if (process.getuid?.() !== 0) return 'a second Docker Engine can be started by root only';
  const missing = ['dockerd', 'ip', 'iptables'].filter((name) => spawnSync(name, ['--version']).error);
  return missing.length === 0 ? null : `a second Docker Engine needs ${missing.join(' and ')}, not installed here`;
}

export async function openOtherEngine(lab: Lab, kind: OtherKind = 'single'): Promise<OtherEngine> {
  const place = otherEnginePlace(lab.dir, kind);
  await clear(place);
  const engine = await startPrivateEngine(place, () => undefined);
  const docker = new DockerCli(lab.docker.path, engine.host);
  const registry = new Registry(lab.registry.address, lab.docker, docker);
  const carry = async (image: string): Promise<void> => {
    const name = `${kind}-engine/${image}`;
    await registry.publishAndPull(image, name);
    await docker.run(['tag', registry.reference(name), image]);
    await docker.run(['image', 'rm', registry.reference(name)]);
  };
  return {
    engine,
    lab: { ...lab, docker, viewHost: engine.host, registry },
    carry: async (...images) => {
      for (const image of images) await carry(image);
    },
    close: async () => {
      await engine.close();
      await clear(place);
    },
  };
}

/** What a test that died left of it, once its processes have been ended. */
export async function clearOtherEngines(dir: string): Promise<void> {
  for (const kind of ['single', 'swarm'] as const) await clear(otherEnginePlace(dir, kind));
}

async function clear(place: EnginePlace): Promise<void> {
  if (existsSync(place.home)) await clearPrivateEngine(place);
}
