import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Broken, eventually } from '../../support/eventually';
import { ensureInstalled } from '../engine/debian-packages';
import type { DockerCli } from '../engine/docker-cli';
import { freePort } from '../free-port';
import type { ImageOrigin } from '../images/build-images';
import { pullUnlessThere } from '../images/public-image';
import { UPLOADS } from './registry';
import { startLasting } from '../lasting-process';

const PUBLIC_IMAGE = 'docker.io/library/registry:2';

export interface RunningRegistry {
  /** `127.0.0.1:PORT`; the engine accepts plain HTTP on loopback. */
  address: string;
  stop(): Promise<void>;
}

export interface RegistryPlace {
  dir: string;
  docker: DockerCli;
  label: string;
  origin: ImageOrigin;
  say: (line: string) => void;
}

/** A registry of the lab's own: Debian's, or where public images are in reach the public one in a container. */
export async function runRegistry(place: RegistryPlace): Promise<RunningRegistry> {
  const installed = existsSync('/usr/bin/docker-registry');
  if (!installed && place.origin === 'public') return runInContainer(place);
  await ensureInstalled(['docker-registry'], place.say);
  return runAsProcess(place);
}

async function runAsProcess({ dir, docker }: RegistryPlace): Promise<RunningRegistry> {
  const home = join(dir, 'registry');
  mkdirSync(home, { recursive: true });
  const storage = join(home, 'storage');
  forgetTags(storage);
  const address = `127.0.0.1:${await samePort(docker, join(home, 'port'))}`;
  const config = {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: address },
  };
  // JSON is YAML.
  writeFileSync(join(home, 'config.yml'), JSON.stringify(config, null, 2));
  const registry = startLasting(dir, {
    name: 'registry',
    file: '/usr/bin/docker-registry',
    args: ['serve', join(home, 'config.yml')],
    logFile: join(home, 'registry.log'),
  });
  await answers(address, () => {
    if (!registry.running()) throw new Broken(`the registry ended: ${registry.lines().slice(-5).join('\n')}`);
  });
  return { address, stop: () => registry.stop() };
}

/** What earlier runs published is not there for this one; layers stay, as a cache. */
function forgetTags(storage: string): void {
  const repositories = join(storage, 'docker/registry/v2/repositories');
  if (!existsSync(repositories)) return;
  for (const name of readdirSync(repositories)) {
    if (name !== UPLOADS) rmSync(join(repositories, name), { recursive: true });
  }
}

/** The port of the last run if it is free: the engine then knows which layers are there already. */
async function samePort(docker: DockerCli, record: string): Promise<number> {
  const last = existsSync(record) ? Number(readFileSync(record, 'utf8')) : 0;
  const port = await ownPort(docker, last);
  writeFileSync(record, String(port));
  return port;
}

/** Images that the engine has from such an address are somebody's: in the end, those of this registry are removed by it. */
async function ownPort(docker: DockerCli, wanted = 0): Promise<number> {
  const port = await freePort(wanted).catch(() => freePort());
  const names = await docker.lines(['image', 'ls', '--format', '{{.Repository}}']);
  return names.some((name) => name.startsWith(`127.0.0.1:${port}/`)) ? ownPort(docker) : port;
}

async function runInContainer({ dir, docker, label }: RegistryPlace): Promise<RunningRegistry> {
  const address = `127.0.0.1:${await ownPort(docker)}`;
  const options = ['--detach', '--label', label, '--publish', `${address}:5000`];
  await pullUnlessThere(docker, dir, PUBLIC_IMAGE);
  const id = await docker.run(['run', ...options, PUBLIC_IMAGE]);
  await answers(address, () => undefined);
  return { address, stop: async () => void (await docker.run(['rm', '--force', '--volumes', id])) };
}

async function answers(address: string, stillRuns: () => void): Promise<void> {
  const look = async () => {
    stillRuns();
    return (await fetch(`http://${address}/v2/`)).ok;
  };
  await eventually(`the registry answers at ${address}`, look);
}
