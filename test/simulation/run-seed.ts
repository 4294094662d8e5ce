import { worldOf } from './schedule';
import { simulate, type Outcome, type Sabotage } from './simulation';
import { describe, type World } from './world';

export interface Found extends Outcome {
  seed: number;
  /** The smallest one found that still fails. */
  world: World;
}

/** Null: every invariant holds. */
export async function runSeed(seed: number, sabotage?: Sabotage): Promise<Found | null> {
  const world = worldOf(seed);
  const outcome = await simulate(world, sabotage);
  return outcome.violations.length === 0 ? null : { seed, ...(await shrink(world, outcome, sabotage)) };
}

/** Leaves out one event after another, for as long as it still fails. */
async function shrink(world: World, outcome: Outcome, sabotage?: Sabotage): Promise<Outcome & { world: World }> {
  let smallest = { ...outcome, world };
  for (let at = world.events.length - 1; at >= 0; at--) {
    const tried = { ...world, events: smallest.world.events.filter((_, index) => index !== at) };
    const again = await simulate(tried, sabotage);
    if (again.violations.length > 0) smallest = { ...again, world: tried };
  }
  return smallest;
}

export function report({ seed, world, violations, transcript }: Found): string {
  const services = world.services.map(({ spec, hasHealthcheck }) => JSON.stringify({ ...spec, hasHealthcheck }));
  return [
    `seed ${seed} breaks:`,
    ...violations.map((line) => `  ${line}`),
    'world:',
    ...services.map((line) => `  ${line}`),
    'events:',
    ...world.events.map((event) => `  ${describe(event, world)}`),
    'transcript:',
    ...transcript.map((line) => `  ${line}`),
  ].join('\n');
}
