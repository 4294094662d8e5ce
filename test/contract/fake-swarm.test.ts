import { FakeEngine } from '../support/fake-engine';
import { FakeSwarm } from '../support/swarm/fake-swarm';
import { TestClock } from '../support/test-clock';
import { swarmContract, type SwarmScene } from './swarm.contract';

function setUp(): Promise<SwarmScene> {
  const clock = new TestClock();
  const engine = new FakeEngine(clock);
  const swarm = new FakeSwarm(engine);
  const pinned = (health: 'healthy' | 'exits'): string => `web:1@${engine.publish('web:1', { health }).digest}`;
  const images = { old: pinned('healthy'), next: pinned('healthy'), failing: pinned('exits') };
  swarm.init();
  swarm.addService({ name: 'web', image: images.old });
  return Promise.resolve({
    ...{ swarm, service: 'web', images },
    passTime: () => clock.advance(1_000),
    killTasks: () => Promise.resolve(swarm.killTasks('web')),
    remove: () => Promise.resolve(swarm.remove('web')),
    takeDown: () => Promise.resolve(),
  });
}

swarmContract('the fake Swarm', setUp);

it('is of no Swarm until it is initialised', async () => {
  const engine = new FakeEngine(new TestClock());
  expect(await new FakeSwarm(engine).role()).toEqual({ role: 'none' });
});
