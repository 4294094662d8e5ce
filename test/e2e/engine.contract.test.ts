import { rmSync } from 'node:fs';
import { ENGINE_CALLS } from '../../src/adapters/docker/calls';
import { dockerAddress } from '../../src/adapters/docker/docker-address';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { createSocketProxy } from '../../src/adapters/docker/socket-proxy/socket-proxy';
import { silentLogger } from '../../src/lib/logger';
import type { Engine } from '../../src/ports/engine';
import { engineContract } from '../contract/engine.contract';
import { engineNamespacesContract } from '../contract/engine-namespaces.contract';
import type { EngineScene } from '../contract/engine-scene';
import { engineInLab, type EngineInLab } from '../support/situations/engine-in-lab';
import { closeStage } from '../support/situations/run-situation';

for (const contract of [engineContract, engineNamespacesContract]) {
  contract('the real engine', () => sceneOn(engineInLab(), 'pilot-contract'));
  contract('the real engine behind the socket proxy', sceneBehindTheProxy);
}

async function sceneBehindTheProxy(): Promise<EngineScene> {
  const lab = engineInLab();
  const { engine, close } = await proxied(lab);
  const scene = await sceneOn({ ...lab, engine }, 'pilot-proxied');
  return { ...scene, takeDown: () => scene.takeDown().finally(close) };
}

async function proxied({ dockerHost }: EngineInLab): Promise<{ engine: Engine; close: () => void }> {
  const socket = `/tmp/diun-pilot-proxy-${process.pid}.sock`;
  rmSync(socket, { force: true });
  const server = createSocketProxy({ engine: dockerAddress(dockerHost), listed: ENGINE_CALLS, logger: silentLogger });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const engine = createDockerEngine({ dockerHost: `unix://${socket}`, dockerConfigDir: null });
  return { engine, close: () => server.close().closeAllConnections() };
}

async function sceneOn({ docker, engine, base, registry }: EngineInLab, prefix: string): Promise<EngineScene> {
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
