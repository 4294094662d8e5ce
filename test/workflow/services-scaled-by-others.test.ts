import type { ServiceSpec } from '../../src/domain/services/swarm-inspect';
import type { Update } from '../../src/domain/update';
import { runForgeStack, type ForgeStack, type ForgeStackOptions } from '../support/swarm/forge-stack';

// Found by a sweep of the simulation (simulation/swarm-world.ts): an operator's `docker service scale` at each call of an update that
// scales services to 0 for their backup.

let forge: ForgeStack;
const open = (options: ForgeStackOptions = {}): void => void (forge = runForgeStack(options));
afterEach(() => forge.scene.close());

const last = (): Update => forge.scene.updates().at(-1) as Update;
const replicas = async (): Promise<Record<string, number | undefined>> =>
  Object.fromEntries(
    (await forge.scene.swarm.services()).map(({ Spec }) => [Spec.Name, Spec.Mode.Replicated?.Replicas]),
  );

/** Once Swarm has had a request like this, another client scales a service. */
function scaledAfter(request: RegExp, service: string, Replicas: number): void {
  const { swarm } = forge.scene;
  let isDone = false;
  swarm.onUpdate = (when) => {
    if (when === 'before' || isDone || !request.test(swarm.lines.at(-1) ?? '')) return;
    isDone = true;
    const scaled = (spec: ServiceSpec): ServiceSpec => ({ ...spec, Mode: { Replicated: { Replicas } } });
    swarm.changeFromOutside(service, scaled);
  };
}

const ALLOWED = { web: { 'backup.quiesce': 'allowed' } };

it.each([
  ['forge_gitea', 'forge_web'],
  ['forge_web', 'forge_gitea'],
])(
  'once %s is at 0, the replicas that another client gives to %s are what it has afterwards',
  async (first, second) => {
    open(ALLOWED);
    forge.publish('gitea:1');
    scaledAfter(new RegExp(`^scale 0 ${first}$`), second, 3);
    await forge.update('gitea');
    expect((await replicas())[second]).toBe(3);
  },
);

it('scaled to 0 while the other services stop, it is left there, and nothing is changed', async () => {
  open(ALLOWED);
  forge.publish('gitea:1');
  scaledAfter(/^scale 0 forge_web$/, 'forge_gitea', 0);
  await forge.update('gitea');
  expect(last()).toMatchObject({ status: 'failed', error: { code: 'backup_failed' } });
  expect(last().error?.message).toContain('forge_gitea was scaled to 0 externally');
  expect(await replicas()).toEqual({ forge_db: 1, forge_gitea: 0, forge_web: 1 });
});

it('scaled to 0 while its new version starts, it is left there, and the verdict says so', async () => {
  open();
  forge.publish('gitea:1');
  scaledAfter(/^scale 1 forge_gitea /, 'forge_gitea', 0);
  await forge.update('gitea');
  expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'changed_meanwhile' } });
  expect(last().reason).toContain('forge_gitea was scaled to 0 externally');
  expect((await replicas())['forge_gitea']).toBe(0);
});

it('another service that is scaled to 0 after it was scaled back is left there', async () => {
  open(ALLOWED);
  forge.publish('gitea:1');
  scaledAfter(/^scale 1 forge_web$/, 'forge_web', 0);
  await forge.update('gitea');
  expect(last()).toMatchObject({ status: 'succeeded' });
  expect(await replicas()).toEqual({ forge_db: 1, forge_gitea: 1, forge_web: 0 });
});
