import type { Pilot } from '../../lab/pilot';
import { engineProxy, type EngineProxy } from '../e2e-engine-proxy';
import type { Stage } from '../e2e-stage';
import { runAppStack, type AppStack } from './e2e-app-stack';
import { openSwarm, type SwarmStage } from './e2e-swarm';

/** A Swarm with the app and its database, two items in it, and a diun-pilot behind a proxy in which it can be held. */
export interface AppStage {
  swarm: SwarmStage;
  stack: AppStack;
  pilot: Pilot;
  proxy: EngineProxy;
  /** The operator requests the update of a service; its ID. */
  ask(container: string): Promise<string>;
  /** What the app and its database hold. */
  data(): Promise<unknown>;
  /** The same with the specs of both services and all that diun-pilot has left, once the app answers. */
  whole(): Promise<unknown>;
}

export async function openAppStage(stage: Stage): Promise<AppStage> {
  const swarm = await openSwarm(stage);
  const stack = await runAppStack(swarm, 'data');
  const proxy = engineProxy(swarm.stage.lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  const pilot = await swarm.stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
  await stack.ready();
  for (const item of ['erste', 'zweite']) await stack.keep(item);
  const data = async (): Promise<unknown> => ({
    items: await stack.items(),
    schema: await stack.sql('SELECT version FROM version'),
  });
  return {
    ...{ swarm, stack, pilot, proxy, data },
    ask: async (container) => {
      const answer = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container }) });
      const { id, status } = (await answer.json()) as { id: string; status: string };
      if (status !== 'queued') throw new Error(`the update of ${container} is ${status}`);
      return id;
    },
    whole: async () => {
      await stack.ready();
      return { data: await data(), specs: await stack.specs(), aside: await stack.aside() };
    },
  };
}
