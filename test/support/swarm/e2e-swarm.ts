import { createDockerSwarm } from '../../../src/adapters/docker/swarm';
import type { Swarm } from '../../../src/ports/swarm';
import { otherEnginePlace } from '../../lab/engine/engine-place';
import type { PrivateEngine } from '../../lab/engine/private-engine';
import type { ImageName } from '../../lab/images/recipes';
import type { Lab } from '../../lab/lab';
import { freePort } from '../../lab/free-port';
import { openNodes, type Node } from '../../lab/nodes/nodes';
import { besideLab } from '../e2e-other-engine';
import type { Stage } from '../e2e-stage';

/** An engine beside the lab's that is the manager of a Swarm. */
export interface RunningSwarm {
  swarm: Swarm;
  dockerHost: string;
  /** The process of the engine itself, to be ended and started again. */
  engine: PrivateEngine;
  /** Publishes an image under a tag: `name:tag`, and with its digest as Swarm writes it. */
  published(image: ImageName, name: string): Promise<{ reference: string; digest: string; pinned: string }>;
  /** Creates a service and waits for it; whatever follows the options of the rollout is the operator's. */
  create(name: string, image: string, options?: string[]): Promise<void>;
}

/** The same; everything of it goes with the stage. */
export interface SwarmStage extends RunningSwarm {
  stage: Stage;
}

/** A rollout is judged after one second, and nothing waits for a graceful end. */
const QUICK = [
  '--update-monitor',
  '1s',
  '--rollback-monitor',
  '1s',
  '--stop-grace-period',
  '1s',
  '--restart-delay',
  '0s',
];
const BRIDGE = 'dpswarm0';

/** `overlays`: its services can have networks of their own, for which the loopback device will not do. */
export async function openSwarm(lab: Stage, { overlays = false } = {}): Promise<SwarmStage> {
  const { stage, engine } = await besideLab(lab, [], 'swarm');
  const [bridge = ''] = otherEnginePlace(stage.lab.dir, 'swarm').network.bridgeAddress.split('/');
  const address = overlays ? bridge : '127.0.0.1';
  const swarm = await initSwarm(stage.lab, { engine, address }, (close) => lab.closing(close));
  return { ...swarm, stage };
}

/** A Swarm of several nodes; diun-pilot is on the first, a manager. */
export async function openSwarmOfNodes(
  lab: Stage,
  names: readonly string[],
): Promise<SwarmStage & { nodes: readonly Node[] }> {
  const opened = await openNodes(lab.lab, names);
  lab.closing(() => opened.close());
  const [first, ...others] = opened.nodes as [Node, ...Node[]];
  const swarm = await initSwarm(opened.lab, first, (close) => lab.closing(close));
  const token = await first.docker.run(['swarm', 'join-token', '--quiet', 'worker']);
  for (const { docker, address } of others)
    await docker.run([
      ...['swarm', 'join', '--token', token.trim(), '--advertise-addr', address, '--listen-addr', `${address}:2377`],
      `${first.address}:${swarm.port}`,
    ]);
  return { ...swarm, stage: lab.on(opened.lab), nodes: opened.nodes };
}

/** Of the engine that `lab` is on; `closing`: what is to be done before that engine goes. */
export async function initSwarm(
  lab: Lab,
  { engine, address }: { engine: PrivateEngine; address: string },
  closing: (close: () => Promise<void>) => void,
): Promise<RunningSwarm & { port: number }> {
  const { docker, registry } = lab;
  const dockerHost = docker.host;
  // A bridge of its own name, since the engine of this machine may have one of the usual name.
  const bridge = ['--driver', 'bridge', '--opt', `com.docker.network.bridge.name=${BRIDGE}`];
  await docker.run([
    'network',
    'create',
    ...bridge,
    '--opt',
    'com.docker.network.bridge.enable_icc=false',
    'docker_gwbridge',
  ]);
  const port = await freePort();
  await docker.run(['swarm', 'init', '--advertise-addr', address, '--listen-addr', `${address}:${port}`]);
  closing(async () => {
    for (const service of (await docker.attempt(['service', 'ls', '--quiet'])).stdout.split('\n').filter(Boolean))
      await docker.attempt(['service', 'rm', service]);
    await docker.attempt(['swarm', 'leave', '--force']);
    await docker.attempt(['network', 'rm', 'docker_gwbridge']);
  });
  const swarm = createDockerSwarm({ dockerHost, dockerConfigDir: null });
  return {
    swarm,
    dockerHost,
    engine,
    port,
    published: async (image, name) => {
      const digest = await registry.publish(lab.images[image], name);
      const reference = registry.reference(name);
      return { reference, digest, pinned: `${reference}@${digest}` };
    },
    create: async (name, image, options = []) => {
      await docker.run(['service', 'create', '--quiet', '--name', name, ...QUICK, ...options, image]);
    },
  };
}
