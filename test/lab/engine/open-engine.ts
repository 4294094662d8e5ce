import { whyNotInstallable, ensureInstalled } from './debian-packages';
import { askEngine } from './ask-engine';
import { DockerCli, findDockerCli } from './docker-cli';
import { labEnginePlace } from './engine-place';
import { startPrivateEngine } from './private-engine';
import { LabUnavailable } from '../lab-unavailable';

/** The Docker Engine that the lab works on. */
export interface LabEngine {
  docker: DockerCli;
  /** `given`: somebody's engine that was there already, we are its guest. `private`: ours, started and ended by us. */
  kind: 'given' | 'private';
  /** Ends a private engine and waits; leaves a given one alone. */
  close(): Promise<void>;
}

/** What diun-pilot supports, and what Engine 29 still offers. */
const OLDEST_API = 1.44;

/**
 * The engine that answers at DOCKER_HOST or /var/run/docker.sock; else, for root on Debian, a private one.
 * LAB_ENGINE=private skips the first. Throws LabUnavailable with the reason when there can be neither.
 */
export async function openEngine(dir: string, say: (line: string) => void): Promise<LabEngine> {
  const host = process.env['LAB_ENGINE'] === 'private' ? null : await findAnsweringEngine(say);
  if (host) return { docker: await cliFor(host, say), kind: 'given', close: () => Promise.resolve() };
  const obstacle = whyNotInstallable();
  if (obstacle) {
    throw new LabUnavailable(
      `no Docker Engine (API ${OLDEST_API} or later) answers, and none can be started: ${obstacle}`,
    );
  }
  await ensureInstalled(['docker.io', 'docker-compose', 'docker-cli', 'iptables', 'iproute2'], say);
  const engine = await startPrivateEngine(labEnginePlace(dir), say);
  return { docker: await cliFor(engine.host, say), kind: 'private', close: () => engine.close() };
}

async function findAnsweringEngine(say: (line: string) => void): Promise<string | null> {
  for (const host of [process.env['DOCKER_HOST'], 'unix:///var/run/docker.sock']) {
    if (!host) continue;
    const version = await apiVersion(host);
    if (version !== null && version >= OLDEST_API) return host;
    if (version !== null) say(`the engine at ${host} speaks API ${version}; ${OLDEST_API} or later is needed`);
    else if (host === process.env['DOCKER_HOST']) say(`no engine on this machine answers at DOCKER_HOST=${host}`);
  }
  return null;
}

async function apiVersion(host: string): Promise<number | null> {
  const answer = await askEngine(host, '/version');
  if (answer?.status !== 200) return null;
  return Number.parseFloat((JSON.parse(answer.body) as { ApiVersion: string }).ApiVersion);
}

async function cliFor(host: string, say: (line: string) => void): Promise<DockerCli> {
  let path = await findDockerCli();
  if (!path) {
    await ensureInstalled(['docker-cli', 'docker-compose'], say);
    path = await findDockerCli();
  }
  if (!path) throw new LabUnavailable('there is no docker command line with the compose plugin');
  return new DockerCli(path, host);
}
