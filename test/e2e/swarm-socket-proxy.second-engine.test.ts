import { join } from 'node:path';
import type { ServiceSpec } from '../../src/domain/services/swarm-inspect';
import { whyNoOtherEngine } from '../lab/engine/other-engine';
import type { Pilot } from '../lab/pilot';
import { guardedSocket, type GuardedSocket } from '../support/e2e-guarded';
import { openStage } from '../support/e2e-stage';
import { endOf, type UpdateTold } from '../support/e2e-updates';
import { describeIf } from '../support/needs';
import { runAppStack, type AppStack } from '../support/swarm/e2e-app-stack';
import { openSwarm, type SwarmStage } from '../support/swarm/e2e-swarm';

// Nothing but the shipped socket proxy between diun-pilot and the manager: what an update needs passes, and nothing else.
describeIf(whyNoOtherEngine(), 'services behind the socket proxy', () => {
  const stage = openStage();
  let swarm: SwarmStage;
  let stack: AppStack;
  let proxy: GuardedSocket;
  let pilot: Pilot;

  beforeAll(async () => {
    swarm = await openSwarm(stage);
    stack = await runAppStack(swarm, 'guarded');
    proxy = await guardedSocket(swarm.dockerHost, join(stage.lab.scratch('p'), 'engine.sock'));
    stage.closing(() => proxy.close());
    pilot = await swarm.stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
    await stack.ready();
    await stack.keep('erste');
  }, 300_000);

  const refused = (): unknown[] => proxy.log.filter(({ message }) => message.startsWith('refused'));

  async function asked(container: string): Promise<UpdateTold> {
    const answer = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container }) });
    return endOf(pilot, ((await answer.json()) as { id: string }).id, 300_000);
  }

  it('a service with data: scaled to 0, backed up, rolled back with its data, and nothing is refused', async () => {
    const before = [await stack.items(), await stack.specs()];
    await stack.publish('app', 'APP_2_BROKEN');
    const update = await asked(stack.names.app);
    expect([update['status'], update['error']?.code, refused()]).toEqual(['rolled_back', 'unhealthy', []]);
    await stack.ready();
    expect([await stack.items(), await stack.specs()]).toEqual(before);
  });

  it('a service without data: rolled out, and rolled back by Swarm to the spec before', async () => {
    const probe = ['--label', 'update.probe=exec:grep -q good-1 /usr/share/nginx/html/index.html'];
    const watched = ['--label', 'diun.enable=true', '--label', 'update.probe.timeout=5s', ...probe];
    await swarm.create('guarded_web', (await swarm.published('NGINX_GOOD_1', 'guarded/web:stable')).reference, watched);
    await swarm.published('NGINX_GOOD_2', 'guarded/web:stable');
    const update = await asked('guarded_web');
    expect([update['status'], update['error']?.code, refused()]).toEqual(['rolled_back', 'unhealthy', []]);
  });

  const inContainer = (spec: ServiceSpec, more: object): ServiceSpec => ({
    ...spec,
    TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { ...spec.TaskTemplate.ContainerSpec, ...more } } as never,
  });

  it.each<[string, (spec: ServiceSpec) => object]>([
    ['another command', (spec) => inContainer(spec, { Command: ['sh', '-c', 'id'] })],
    ['a folder of the host', (spec) => inContainer(spec, { Mounts: [{ Type: 'bind', Source: '/', Target: '/host' }] })],
    ['a capability', (spec) => inContainer(spec, { CapabilityAdd: ['CAP_SYS_ADMIN'] })],
    ['an image of another repository', (spec) => inContainer(spec, { Image: 'evil.example/x:1' })],
    ['its labels', (spec) => ({ ...spec, Labels: { ...spec.Labels, 'update.policy': 'automatic' } })],
    ['its ports', (spec) => ({ ...spec, EndpointSpec: { Ports: [{ TargetPort: 22, PublishMode: 'host' }] } })],
    ['how often it runs', (spec) => ({ ...spec, Mode: { Replicated: { Replicas: 9 } } })],
  ])('a compromised diun-pilot cannot change %s', async (_, change) => {
    const before = await swarm.swarm.service('guarded_web');
    const url = `/v1.45/services/${before.ID}/update?version=${before.Version.Index}&registryAuthFrom=spec`;
    const { status } = await proxy.send({ name: 'changes', method: 'POST', url, body: change(before.Spec) });
    expect(status).toBe(403);
    expect(await swarm.swarm.service('guarded_web')).toEqual(before);
  });

  it('and cannot bring back what the operator took away, by rollback=previous', async () => {
    const { docker } = swarm.stage.lab;
    await docker.run(['service', 'update', '--quiet', '--cap-add', 'SYS_ADMIN', 'guarded_web']);
    await docker.run(['service', 'update', '--quiet', '--cap-drop', 'SYS_ADMIN', 'guarded_web']);
    const before = await swarm.swarm.service('guarded_web');
    const url = `/v1.45/services/${before.ID}/update?version=${before.Version.Index}&rollback=previous`;
    const { status, body } = await proxy.send({ name: 'goes back', method: 'POST', url, body: before.Spec });
    expect([status, body]).toEqual([403, expect.stringContaining('more than the image of the service would change')]);
    expect((await swarm.swarm.service('guarded_web')).Spec).toEqual(before.Spec);
  });
});
