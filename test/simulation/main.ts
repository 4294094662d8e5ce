import { report, runSeed } from './run-seed';
import { runSwarmSeed } from './swarm-run-seed';

// npm run simulate -- [--swarm] --seeds N [--seed S]: N worlds from the seed S on (1); exit code 1 if any breaks an invariant.

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? otherwise : Number(process.argv[at + 1]);
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} must be a whole number`);
  return value;
}

async function reportOf(seed: number): Promise<string | null> {
  const found = await runSeed(seed);
  return found && report(found);
}

async function main(): Promise<void> {
  const first = option('seed', 1);
  const seeds = option('seeds', 1);
  const isSwarm = process.argv.includes('--swarm');
  const failed: number[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    const found = isSwarm ? await runSwarmSeed(seed) : await reportOf(seed);
    if (found !== null) {
      failed.push(seed);
      console.log(found);
    }
    if ((seed - first + 1) % 500 === 0) console.log(`${seed - first + 1} seeds, ${failed.length} failed`);
  }
  console.log(`${seeds} seeds from ${first}: ${failed.length} failed${failed.length ? ` (${failed.join(', ')})` : ''}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

void main();
