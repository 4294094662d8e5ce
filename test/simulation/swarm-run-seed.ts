import { shrink } from './run-seed';
import type { Sabotage } from './simulation';
import { simulateSwarm } from './swarm-simulation';
import { describeSwarm, swarmWorldOf } from './swarm-world';

/** Null: every invariant holds; else what is broken, in the smallest world found that still breaks it. */
export async function runSwarmSeed(seed: number, sabotage?: Sabotage): Promise<string | null> {
  const first = swarmWorldOf(seed);
  const outcome = await simulateSwarm(first, sabotage);
  if (outcome.violations.length === 0) return null;
  const { world, violations, transcript } = await shrink(first, outcome, (tried) => simulateSwarm(tried, sabotage));
  return [
    `seed ${seed} of a Swarm breaks:`,
    ...violations.map((line) => `  ${line}`),
    'world:',
    ...world.services.map((service) => `  ${JSON.stringify(service)}`),
    'events:',
    ...world.events.map((event) => `  ${describeSwarm(event, world)}`),
    'transcript:',
    ...transcript.map((line) => `  ${line}`),
  ].join('\n');
}
