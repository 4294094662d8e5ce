import { waitUntilHealthy } from '../../../src/probes/wait-until-healthy';
import { FakeEngine } from '../../support/fake-engine';
import { TestClock } from '../../support/test-clock';

function question(exitCode: number) {
  const clock = new TestClock();
  const engine = new FakeEngine(clock);
  engine.addImage({ reference: 'web:1', scripts: { probe: { exitCode } } });
  const containerId = engine.runContainer({ name: 'web', image: 'web:1' });
  return { engine, clock, containerId, probe: { kind: 'exec' as const, command: ['probe'] } };
}

it('looks a second time at a container that is healthy only at the deadline', async () => {
  await expect(waitUntilHealthy({ ...question(0), timeoutMs: 0 })).resolves.toBe('probe exits 0');
});

it('waits no longer than the deadline for one that is not', async () => {
  const asked = question(1);
  const began = asked.clock.now().getTime();
  await expect(waitUntilHealthy({ ...asked, timeoutMs: 3000 })).rejects.toMatchObject({ code: 'unhealthy' });
  expect(asked.clock.now().getTime() - began).toBe(3000);
});
