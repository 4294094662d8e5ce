import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { whyNoOtherEngine } from '../lab/engine/other-engine';
import { openStage } from '../support/e2e-stage';
import type { UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { describeIf } from '../support/needs';
import { openSwarm, type SwarmStage } from '../support/swarm/e2e-swarm';
import { deployShippedStack, isHealthy, type ShippedStack } from '../support/swarm/shipped-stack';

// The shipped docker-stack.yml as an operator deploys it, by the commands of docs/swarm.md: diun-pilot runs inside the Swarm, and
// updates a service of another stack.

describeIf(whyNoOtherEngine(), 'the shipped docker-stack.yml', () => {
  const stage = openStage();
  let swarm: SwarmStage;
  let shipped: ShippedStack;

  beforeAll(async () => {
    swarm = await openSwarm(stage, { overlays: true });
    shipped = await deployShippedStack(swarm, stage.lab);
  }, 600_000);

  const serviceOf = async (name: string): Promise<string> =>
    (await swarm.swarm.service(name)).Spec.TaskTemplate.ContainerSpec?.Image ?? '';

  /** The update of a service to a digest, as the API of the deployed diun-pilot gives it, once it has ended. */
  function verdict(service: string, digest: string): Promise<UpdateTold> {
    const ended = async (): Promise<UpdateTold> => {
      const { updates } = (await (await shipped.get(`/updates?container=${service}`)).json()) as {
        updates: UpdateTold[];
      };
      const update = updates.find(({ to }) => to.digest === digest);
      if (update && !['queued', 'running'].includes(String(update['status']))) return update;
      throw new Error(JSON.stringify(update));
    };
    return eventually(`the update of ${service} ends`, ended, { timeoutMs: 120_000, everyMs: 200 });
  }

  it('diun-pilot gets healthy, and its check finds nothing to correct in the Swarm', async () => {
    await isHealthy(swarm, 'pilot_diun-pilot');
    const { code, stdout } = await shipped.inTask('pilot_diun-pilot', ['diun-pilot', 'check']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^ok +Swarm +manager of 3 services, 2 watched$/m)]);
  });

  it('a service of another stack is updated, when Diun reports its image from its own place in the stack', async () => {
    const { reference, pinned } = await swarm.published('NGINX_GOOD_1', 'shop/web:stable');
    const file = join(stage.lab.scratch('shop'), 'docker-stack.yml');
    writeFileSync(file, otherStack(reference));
    await swarm.stage.lab.docker.run(['stack', 'deploy', '--detach=false', '-c', file, 'shop']);
    expect(await serviceOf('shop_web')).toBe(pinned);
    const next = await swarm.published('NGINX_GOOD_2', 'shop/web:stable');
    expect(await shipped.announce(pinned, next.digest)).toBe(202);
    const update = await verdict('shop_web', next.digest);
    expect(update).toMatchObject({ kind: 'service', status: 'succeeded', project: 'shop', error: null });
    expect(update['reason']).toContain('2 of 2 tasks run the image; nginx -t passes');
    expect(await serviceOf('shop_web')).toBe(next.pinned);
  });
});

function otherStack(image: string): string {
  return `version: '3.8'
services:
  web:
    image: ${image}
    stop_grace_period: 1s
    deploy:
      replicas: 2
      endpoint_mode: dnsrr
      update_config: { monitor: 1s, order: start-first }
      labels: { diun.enable: 'true', update.policy: automatic, update.probe: nginx }
`;
}
