import { rmSync } from 'node:fs';
import { ENGINE_CALLS } from '../../src/adapters/docker/calls';
import { dockerAddress } from '../../src/adapters/docker/wire';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { createSocketProxy } from '../../src/adapters/docker/socket-proxy/socket-proxy';
import { silentLogger } from '../../src/lib/logger';
import type { Engine } from '../../src/ports/engine';
import { engineContract } from '../contract/engine.contract';
import { engineListsContract } from '../contract/engine-lists.contract';
import { engineLayerContract } from '../contract/engine-layer.contract';
import { engineNamespacesContract } from '../contract/engine-namespaces.contract';
import { restartPolicyContract } from '../contract/engine-restart.contract';
import type { EngineScene } from '../contract/engine-scene';
import { openView } from '../lab/engine/view';
import { engineInLab, type EngineInLab } from '../support/situations/engine-in-lab';
import { closeStage } from '../support/situations/run-situation';

for (const contract of [
  engineContract,
  engineNamespacesContract,
  engineListsContract,
  restartPolicyContract,
  engineLayerContract,
]) {
  contract('the real engine', () => sceneOn(engineInLab(), 'contract'));
  contract('the real engine behind the socket proxy', () => sceneBehind(proxied, 'proxied'));
  contract('the real engine in the view of a guest', () => sceneBehind(viewed, 'viewed'));
}

type Between = (lab: EngineInLab, socket: string, name: string) => Promise<{ engine: Engine; close: () => unknown }>;

async function sceneBehind(between: Between, name: string): Promise<EngineScene> {
  const lab = engineInLab();
  const { engine, close } = await between(lab, `/tmp/diun-pilot-${name}-${process.pid}.sock`, name);
  const scene = await sceneOn({ ...lab, engine }, name);
  return { ...scene, takeDown: () => scene.takeDown().finally(close) };
}

/** What Diun and diun-pilot get of an engine that was there before the lab. */
const viewed: Between = async ({ dockerHost, prefix }, socket, name) => {
  const view = await openView(dockerHost, socket, { label: null, projectPrefix: prefix(name) });
  return { engine: createDockerEngine({ dockerHost: view.host, dockerConfigDir: null }), close: () => view.close() };
};

const proxied: Between = async ({ dockerHost }, socket) => {
  rmSync(socket, { force: true });
  const server = createSocketProxy({ engine: dockerAddress(dockerHost), listed: ENGINE_CALLS, logger: silentLogger });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const engine = createDockerEngine({ dockerHost: `unix://${socket}`, dockerConfigDir: null });
  return { engine, close: () => server.close().closeAllConnections() };
};

async function sceneOn(lab: EngineInLab, name: string): Promise<EngineScene> {
  const { docker, engine, base, registry } = lab;
  const prefix = lab.prefix(name);
  await closeStage(docker, prefix);
  await docker.run(['network', 'create', '--label', prefix, `${prefix}-net`]);
  const reference = `${registry}/${prefix}/release:2`;
  const digest = await publish(reference);
  return {
    engine,
    prefix,
    image: base,
    published: { reference, digest },
    unpublished: `${registry}/${prefix}/release:404`,
    network: `${prefix}-net`,
    hasVolume: async (name) => (await docker.inspect('volume', name)) !== null,
    takeDown: async () => {
      await closeStage(docker, prefix);
      await docker.attempt(['rmi', reference]);
    },
  };

  /** Pushed, and then unknown to the engine again. */
  async function publish(tag: string): Promise<string> {
    const dockerfile = `FROM ${base}\nLABEL ${prefix}=2\n`;
    await docker.run(['build', '--quiet', '--tag', tag, '-'], { input: dockerfile });
    await docker.run(['push', '--quiet', tag]);
    const pushed = (await engine.inspectImage(tag)).RepoDigests?.find((name) => name.startsWith(registry)) ?? '';
    await docker.run(['rmi', tag]);
    return pushed.slice(pushed.indexOf('@') + 1);
  }
}
