import { engineContract } from '../contract/engine.contract';
import { engineNamespacesContract } from '../contract/engine-namespaces.contract';
import type { EngineScene } from '../contract/engine-scene';
import { engineInLab } from '../support/situations/engine-in-lab';
import { closeStage } from '../support/situations/run-situation';

const PREFIX = 'pilot-contract';

async function setUp(): Promise<EngineScene> {
  const { docker, engine, base, registry } = engineInLab();
  await closeStage(docker, PREFIX);
  await docker.run(['network', 'create', '--label', PREFIX, `${PREFIX}-net`]);
  const reference = `${registry}/${PREFIX}/release:2`;
  const digest = await publish(reference);
  return {
    engine,
    prefix: PREFIX,
    image: base,
    published: { reference, digest },
    unpublished: `${registry}/${PREFIX}/release:404`,
    network: `${PREFIX}-net`,
    takeDown: async () => {
      await closeStage(docker, PREFIX);
      await docker.attempt(['rmi', reference]);
    },
  };

  /** Pushed, and then unknown to the engine again. */
  async function publish(tag: string): Promise<string> {
    const dockerfile = `FROM ${base}\nLABEL ${PREFIX}=2\n`;
    await docker.run(['build', '--quiet', '--tag', tag, '-'], { input: dockerfile });
    await docker.run(['push', '--quiet', tag]);
    const pushed = (await engine.inspectImage(tag)).RepoDigests?.find((name) => name.startsWith(registry)) ?? '';
    await docker.run(['rmi', tag]);
    return pushed.slice(pushed.indexOf('@') + 1);
  }
}

engineContract('the real engine', setUp);
engineNamespacesContract('the real engine', setUp);
