import { readContainers } from '../../src/containers/read-containers';
import { createWatch } from '../../src/certificates/renewal-queue';
import { rejoinGuests } from '../../src/networks/watch-networks';
import type { Call } from '../support/fake-engine';
import { runForge, type Forge } from '../support/forge-scene';
import { nginx } from '../support/scene';

// Reported: with a hundred watched containers an update made 684 engine calls, 617 of them inspects; every periodic look
// inspected each container. A host has two hundred containers here, of forty images, next to a compose project.

const IMAGES = 40;

/** The forge (gitea, runner, PostgreSQL, and an app of another project), and `many` containers that nothing happens on. */
function openHost(many: number): Forge {
  const forge = runForge();
  const { engine } = forge.scene;
  for (let image = 0; image < IMAGES; image++) engine.addImage({ reference: `app-${image}:1` });
  for (let each = 0; each < many; each++) {
    const labels = {
      'com.docker.compose.project': `project-${each % 25}`,
      'com.docker.compose.service': `app-${each}`,
    };
    engine.runContainer(nginx({ name: `app-${each}`, image: `app-${each % IMAGES}:1`, ports: {}, labels }));
  }
  return forge;
}

async function callsOf(forge: Forge, act: () => Promise<unknown>): Promise<Call[]> {
  const before = forge.scene.engine.transcript.length;
  await act();
  return forge.scene.engine.transcript.slice(before);
}

let forge: Forge;
afterEach(() => forge.scene.close());

/** As after the start of the service, which looks at everything once. */
async function settled(many: number): Promise<Forge> {
  forge = openHost(many);
  await readContainers(forge.scene.engine, null);
  return forge;
}

test.each(['postgres:15', 'gitea:1'])('an update makes at most 150 engine calls: %s', async (reference) => {
  const { scene, specs } = await settled(196);
  scene.engine.publish(reference, { ...specs[reference], health: 'healthy' });
  const calls = await callsOf(forge, () => forge.update(reference === 'gitea:1' ? 'forge-gitea-1' : 'forge-db-1'));
  expect(scene.updates().at(-1)).toMatchObject({ status: 'succeeded' });
  expect(calls.length).toBeLessThanOrEqual(150);
});

const PERIODIC: [string, (forge: Forge) => Promise<unknown>][] = [
  ['the look at networks, each minute', ({ scene }) => rejoinGuests(scene.deps)],
  ['the look at certificates', ({ scene }) => createWatch(scene.deps)()],
  ['the look at the ages of backups', ({ scene }) => rung(scene, 'backup-ages')],
  ['the operator page', ({ scene }) => readContainers(scene.engine, null)],
  [
    'a webhook about an image that no container runs',
    async ({ scene }) => {
      scene.hear('docker.io/library/unknown:1', `sha256:${'a'.repeat(64)}`);
      await scene.settle();
    },
  ],
];

async function rung(scene: Forge['scene'], name: 'backup-ages'): Promise<void> {
  scene.store.timers.ring(name, scene.clock.now().toISOString());
  await scene.settle();
}

test.each(PERIODIC)('%s costs the same on 10 and on 200 containers', async (_, look) => {
  const costs: number[] = [];
  for (const many of [6, 196]) {
    const host = await settled(many);
    costs.push((await callsOf(host, () => look(host))).length);
    if (many === 6) host.scene.close();
  }
  expect(costs[1]).toBe(costs[0]);
});

test('what was read once is read again as it is now: name, state, tags, and a container that took its place', async () => {
  const { scene } = await settled(6);
  const { engine } = scene;
  const read = async (name: string) => (await readContainers(engine, null)).find((each) => each.name === name);
  const before = await read('app-1');
  engine.host.stop(engine.host.find('app-1'));
  engine.host.rename(engine.host.find('app-1'), 'renamed');
  expect(await read('app-1')).toBeUndefined();
  expect(await read('renamed')).toMatchObject({ id: before?.id, running: false });
  engine.runContainer(nginx({ name: 'app-1', image: 'app-2:1', ports: {} }));
  expect(await read('app-1')).toMatchObject({ reference: 'app-2:1', running: true });
  const moved = engine.publish('app-1:1');
  await engine.pull(`app-1@${moved.digest}`, () => undefined);
  expect((await read('renamed'))?.repoDigests).toEqual(before?.repoDigests);
  engine.host.remove('renamed');
  expect(await read('renamed')).toBeUndefined();
});
