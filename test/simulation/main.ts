import { report, runSeed } from './run-seed';

// npm run simulate -- --seeds N [--seed S]: N worlds from the seed S on (1); exit code 1 if any breaks an invariant.

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? otherwise : Number(process.argv[at + 1]);
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} must be a whole number`);
  return value;
}

async function main(): Promise<void> {
  const first = option('seed', 1);
  const seeds = option('seeds', 1);
  const failed: number[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    const found = await runSeed(seed);
    if (found !== null) {
      failed.push(seed);
      console.log(report(found));
    }
    if ((seed - first + 1) % 500 === 0) console.log(`${seed - first + 1} seeds, ${failed.length} failed`);
  }
  console.log(`${seeds} seeds from ${first}: ${failed.length} failed${failed.length ? ` (${failed.join(', ')})` : ''}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

void main();
