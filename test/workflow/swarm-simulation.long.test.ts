import type { Sabotage } from '../simulation/simulation';
import { runSwarmSeed } from '../simulation/swarm-run-seed';
import { simulateSwarm } from '../simulation/swarm-simulation';
import { swarmWorldOf } from '../simulation/swarm-world';

// Worlds of a Swarm that a seed makes up. `npm run simulate -- --swarm` runs as many as wanted.

const SEEDS = 120;

it(`holds every invariant in the Swarms of ${SEEDS} seeds`, async () => {
  const broken: string[] = [];
  for (let seed = 1; seed <= SEEDS && broken.length === 0; seed++) {
    const found = await runSwarmSeed(seed);
    if (found !== null) broken.push(found);
  }
  expect(broken.join('\n')).toBe('');
}, 1_800_000);

it.each([4, 9])(
  'plays seed %d twice in the same way',
  async (seed) => {
    const [one, two] = [await simulateSwarm(swarmWorldOf(seed)), await simulateSwarm(swarmWorldOf(seed))];
    expect(one.transcript.length).toBeGreaterThan(10);
    expect(two).toEqual(one);
  },
  60_000,
);

describe('the invariants notice, and the report names the seed,', () => {
  const ways: Record<string, { sabotage: Sabotage; says: RegExp }> = {
    'a service that is left at 0 after its backup': {
      says: /has 0 replicas, and the operator wants/,
      sabotage: ({ swarm }) => {
        const update = swarm.update.bind(swarm);
        swarm.update = async (seen, spec) => {
          const now = await swarm.service(seen.ID);
          const isUp = now.Spec.Mode.Replicated?.Replicas === 0 && spec.Mode.Replicated?.Replicas !== 0;
          await update(seen, isUp ? { ...spec, Mode: { Replicated: { Replicas: 0 } } } : spec);
        };
      },
    },
    'a rollout that takes replicas away': {
      says: /has 1 replicas, and the operator wants [23]/,
      sabotage: ({ swarm }) => {
        const rollOut = swarm.rollOut.bind(swarm);
        swarm.rollOut = (seen, spec) =>
          rollOut(seen, spec.Mode.Replicated ? { ...spec, Mode: { Replicated: { Replicas: 1 } } } : spec);
      },
    },
    'a verdict without its mail': {
      says: /0 mails of failure/,
      sabotage: ({ store }) => {
        const add = store.outbox.add.bind(store.outbox);
        store.outbox.add = (mail) => (mail.kind === 'update_failed' ? '' : add(mail));
      },
    },
    'a webhook that is forgotten': {
      says: /an accepted webhook/,
      sabotage: ({ store }) => void (store.inbox.pending = () => []),
    },
    'tasks that fail and are not seen': {
      says: /that fails was found healthy|a good image|instead of/,
      sabotage: ({ swarm }) => {
        const [tasks, service] = [swarm.tasks.bind(swarm), swarm.service.bind(swarm)];
        swarm.service = async (id) => ({ ...(await service(id)), UpdateStatus: { State: 'completed' } });
        swarm.tasks = async (id) => {
          const { Spec } = await service(id);
          return (await tasks(id))
            .filter(({ DesiredState }) => DesiredState === 'running')
            .map((task) => ({ ...task, Spec: Spec.TaskTemplate }));
        };
      },
    },
    'the container of a backup that is left': {
      says: /a container is left over/,
      sabotage: ({ engine, store }) => {
        engine.remove = () => Promise.resolve();
        store.keptContainers.all = () => [];
      },
    },
  };
  it.each(Object.entries(ways))(
    '%s',
    async (_, { sabotage, says }) => {
      for (let seed = 1; seed <= 60; seed++) {
        const { violations } = await simulateSwarm(swarmWorldOf(seed), sabotage);
        if (!violations.some((line) => says.test(line))) continue;
        expect(await runSwarmSeed(seed, sabotage)).toContain(`seed ${seed} of a Swarm breaks:`);
        return;
      }
      throw new Error('no seed noticed it');
    },
    300_000,
  );
});
