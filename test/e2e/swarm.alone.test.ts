import { swarmContract } from '../contract/swarm.contract';
import { whyNoOtherEngine } from '../lab/engine/other-engine';
import { openStage } from '../support/e2e-stage';
import { describeIf } from '../support/needs';
import { openSwarm, type SwarmStage } from '../support/swarm/e2e-swarm';

describeIf(whyNoOtherEngine(), 'a Swarm of one real engine', () => {
  const stage = openStage();
  let swarm: SwarmStage;

  beforeAll(async () => {
    swarm = await openSwarm(stage);
  }, 300_000);

  swarmContract('the real engine', async () => {
    const { pinned: old, reference } = await swarm.published('NGINX_GOOD_1', 'swarm/contract:1');
    const { pinned: next } = await swarm.published('NGINX_GOOD_2', 'swarm/contract:2');
    const { pinned: failing } = await swarm.published('NGINX_CRASH_LOOPING', 'swarm/contract:3');
    await swarm.create('contract', reference, ['--update-monitor', '5s']);
    const takeDown = async (): Promise<void> => void (await swarm.stage.lab.docker.run(['service', 'rm', 'contract']));
    return { swarm: swarm.swarm, service: 'contract', images: { old, next, failing }, takeDown };
  });
});
