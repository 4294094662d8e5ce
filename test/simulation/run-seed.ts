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
  if (outcome.violations.length === 0) return null;
  return { seed, ...(await shrink(world, outcome, (tried) => simulate(tried, sabotage))) };
}

/** Leaves out one event after another, for as long as it still fails. */
export async function shrink<T extends { events: readonly unknown[] }>(
  world: T,
  outcome: Outcome,
  play: (tried: T) => Promise<Outcome>,
): Promise<Outcome & { world: T }> {
  let smallest = { ...outcome, world };
  for (let at = world.events.length - 1; at >= 0; at--) {
    const tried = { ...world, events: smallest.world.events.filter((_, index) => index !== at) };
    const again = await play(tried);
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
