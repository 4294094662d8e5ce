import { whyNoOtherEngine } from '../lab/engine/other-engine';
import type { Node } from '../lab/nodes/nodes';
import type { Pilot } from '../lab/pilot';
import { runPilot } from '../support/e2e-cli';
import { openStage } from '../support/e2e-stage';
import { announce, endOfUpdate, updateTo, type UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { someOf } from '../support/exhaustive';
import { describeIf } from '../support/needs';
import { openSwarmOfNodes, type SwarmStage } from '../support/swarm/e2e-swarm';

const ALL = ['node-a', 'node-b', 'node-c'];
const WATCHED = ['--label', 'diun.enable=true', '--label', 'update.policy=automatic'];

// Three engines in networks of their own, joined into one Swarm: diun-pilot is on node-a.
describeIf(whyNoOtherEngine(), 'a Swarm of three nodes', () => {
  const stage = openStage();
  let swarm: SwarmStage;
  let pilot: Pilot;
  let a: Node;
  let b: Node;
  let c: Node;

  beforeAll(async () => {
    const opened = await openSwarmOfNodes(stage, ALL);
    [a, b, c] = opened.nodes as [Node, Node, Node];
    swarm = opened;
    await a.docker.run(['swarm', 'update', '--dispatcher-heartbeat', '1s']);
    pilot = await swarm.stage.pilot({ env: { DOCKER_HOST: swarm.dockerHost } });
    const { pinned } = await release('everywhere', 0);
    await swarm.create('everywhere', pinned.split('@')[0] ?? '', [...WATCHED, ...GLOBAL]);
    await swarm.create('replicated', (await release('replicated', 0)).reference, [...WATCHED, '--replicas', '4']);
  }, 300_000);

  const GLOBAL = [
    ...['--mode', 'global', '--endpoint-mode', 'dnsrr', '--publish', 'mode=host,published=8095,target=80'],
    ...['--label', 'update.probe=http://:80/'],
  ];

  /** Another digest of the same layers, under the tag of the service. */
  const release = async (
    service: string,
    number: number,
  ): Promise<{ reference: string; digest: string; pinned: string }> => {
    const image = await stage.lab.variantOf(stage.lab.images.NGINX_GOOD_2, `nodes-${number}`);
    const name = `nodes/${service}:stable`;
    const digest = await swarm.stage.lab.registry.publish(image, name);
    const reference = swarm.stage.lab.registry.reference(name);
    return { reference, digest, pinned: `${reference}@${digest}` };
  };

  const announced = async (service: string, number: number): Promise<{ digest: string; pinned: string }> => {
    const { reference, ...released } = await release(service, number);
    expect((await announce(pilot, reference, released.digest)).status).toBe(202);
    return released;
  };
  const told = (service: string, digest: string): Promise<UpdateTold> => endOfUpdate(pilot, service, digest, 180_000);

  /** Nodes and images of the tasks that a service wants, sorted. */
  const runs = async (service: string): Promise<string[]> => {
    const [{ ID }, nodes] = await Promise.all([swarm.swarm.service(service), swarm.swarm.nodes()]);
    const wanted = (await swarm.swarm.tasks(ID)).filter(({ DesiredState }) => DesiredState === 'running');
    const nameOf = (id?: string): string => nodes.find((node) => node.ID === id)?.Description.Hostname ?? 'no node';
    return wanted
      .map(({ NodeID, Spec, Status }) => `${nameOf(NodeID)} ${Status.State} ${Spec.ContainerSpec?.Image}`)
      .sort();
  };
  it('a worker says that services need a manager', async () => {
    const { stdout } = await runPilot(stage.lab, stage.lab.scratch('worker'), ['check'], {
      DOCKER_HOST: c.engine.host,
    });
    expect(stdout.replace(/\s+/g, ' ')).toMatch(/Swarm this engine is a worker.*run diun-pilot on a manager/);
  });

  it('data on another node: refused, with the node and the reason', async () => {
    await swarm.create('far', (await release('far', 0)).reference, [
      ...[...WATCHED, '--label', 'backup.kind=files', '--label', 'backup.paths=/data'],
      ...['--mount', 'type=volume,source=far,target=/data', '--constraint', 'node.hostname==node-b'],
    ]);
    const answer = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container: 'far' }) });
    expect(JSON.stringify(await answer.json())).toContain(
      'The data of far is on the node node-b, and diun-pilot reads only that of its own node (node-a)',
    );
    await a.docker.run(['service', 'rm', 'far']);
  });

  /** In the middle of the rollout: one task runs the new image, another one the old. */
  const halfWay = (service: string, image: string): Promise<unknown> =>
    eventually(
      `the rollout of ${service} is half done`,
      async () => {
        const states = (await runs(service)).map((each) => each.endsWith(`running ${image}`));
        return states.includes(true) && states.includes(false);
      },
      { timeoutMs: 300_000, everyMs: 20 },
    );

  it('a global and a replicated service: rolled out to every node, and probed on each', async () => {
    const [everywhere, replicated] = [await announced('everywhere', 1), await announced('replicated', 1)];
    const update = await told('everywhere', everywhere.digest);
    expect(update).toMatchObject({ status: 'succeeded', error: null });
    for (const node of ['node-b', 'node-c']) expect(update['reason']).toMatch(new RegExp(`200.* on ${node}`));
    expect(await runs('everywhere')).toEqual(ALL.map((node) => `${node} running ${everywhere.pinned}`));
    expect(await told('replicated', replicated.digest)).toMatchObject({ status: 'succeeded', error: null });
    const tasks = await runs('replicated');
    expect(tasks.map((each) => each.split(' ').slice(1).join(' '))).toEqual(
      Array(4).fill(`running ${replicated.pinned}`),
    );
    expect(new Set(tasks.map((each) => each.split(' ')[0])).size).toBe(3);
  });

  /** Each goes on from the one before. */
  const ROWS: [string, () => Promise<void>][] = [
    [
      'a node drained in the middle of a rollout: its tasks go elsewhere, and the image is not blamed',
      async () => {
        const before = (await runs('replicated'))[0]?.split(' running ')[1];
        const { digest, pinned } = await announced('replicated', 3);
        await halfWay('replicated', pinned);
        await a.docker.run(['node', 'update', '--availability', 'drain', 'node-b']);
        const { status, error } = await told('replicated', digest);
        // Swarm pauses the rollout if it ends a task of the drained node while it watches it.
        expect(['succeeded null', 'rolled_back preflight_blocked']).toContain(`${status} ${error?.code ?? null}`);
        const image = status === 'succeeded' ? pinned : before;
        const tasks = await runs('replicated');
        expect(tasks).toHaveLength(4);
        expect(tasks.every((each) => each.endsWith(` running ${image}`) && !each.startsWith('node-b'))).toBe(true);
        await a.docker.run(['node', 'update', '--availability', 'active', 'node-b']);
        const again = async (): Promise<boolean> =>
          (await runs('everywhere')).filter((each) => each.includes(' running ')).length === ALL.length;
        await eventually('the global service is on node-b again', again);
      },
    ],
    [
      'a node that cannot pull the image: rolled back, with the node and the reason',
      async () => {
        const before = await runs('everywhere');
        await b.reachRegistry(false);
        const { digest } = await announced('everywhere', 2);
        const update = await told('everywhere', digest);
        await b.reachRegistry(true);
        expect(update).toMatchObject({ status: 'rolled_back', error: { code: 'pull_failed' } });
        expect(update['error'].message).toMatch(/everywhere on node-b: rejected \(No such image/);
        expect(await runs('everywhere')).toEqual(before);
      },
    ],
    [
      'the engine of diun-pilot killed in the middle, with another leader since: the same verdict',
      async () => {
        await a.docker.run(['node', 'promote', 'node-b', 'node-c']);
        const { digest, pinned } = await announced('replicated', 4);
        await halfWay('replicated', pinned);
        await a.engine.end('power failure');
        const leader = async (): Promise<boolean> =>
          (await b.docker.run(['node', 'ls', '--format', '{{.Hostname}} {{.ManagerStatus}}'])).includes('Leader');
        await eventually('another node leads', leader);
        expect(await updateTo(pilot, 'replicated', digest)).toMatchObject({ status: 'running', error: null });
        await a.engine.begin();
        expect(await told('replicated', digest)).toMatchObject({ status: 'succeeded', error: null });
        expect(await runs('replicated')).toEqual(Array(4).fill(expect.stringContaining(` running ${pinned}`)));
      },
    ],
    [
      'the node that leads killed in the middle: its tasks go elsewhere, and the verdict is right',
      async () => {
        const lines = await a.docker.lines(['node', 'ls', '--format', '{{.Hostname}} {{.ManagerStatus}}']);
        const leads = [b, c].find(({ name }) => lines.includes(`${name} Leader`)) ?? c;
        const { digest, pinned } = await announced('replicated', 5);
        await halfWay('replicated', pinned);
        await leads.engine.end('power failure');
        expect(await told('replicated', digest)).toMatchObject({ status: 'succeeded', error: null });
        const tasks = await runs('replicated');
        expect(tasks).toEqual(Array(4).fill(expect.stringContaining(` running ${pinned}`)));
        expect(tasks.some((each) => each.startsWith(leads.name))).toBe(false);
      },
    ],
  ];
  it.each(someOf(ROWS, ROWS.length))('%s', (_, row) => row());
});
