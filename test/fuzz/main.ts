import fc from 'fast-check';
import { inputOf } from './inputs';
import { parsesOrRefuses } from './judge';
import { PARSERS } from './parsers';
import type { Parser } from './parsers/parser';

/**
 * `npm run fuzz`: the properties of test/unit/fuzz.long.test.ts for as long as you like, with inputs of which each round makes longer ones. Prints the
 * seed, and for a finding the smallest input. Ends with 1 if there was one.
 *
 *     npm run fuzz -- --minutes 10
 *     npm run fuzz -- --only 'compose files' --seed 42
 */
async function main(): Promise<void> {
  const minutes = Number(option('minutes') ?? '3');
  const first = Number(option('seed') ?? String(Date.now() % 2 ** 31));
  const only = option('only');
  const chosen = PARSERS.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0 || !(minutes > 0)) throw new Error(`--minutes N, --seed N, --only ${names()}`);
  const end = Date.now() + minutes * 60_000;
  const found = new Map<string, string>();
  const runs = new Map<string, number>();
  for (let seed = first; Date.now() < end; seed++) {
    for (const parser of chosen) {
      if (found.has(parser.name) || Date.now() >= end) continue;
      const numRuns = parser.slow ? 100 : 2_000;
      const finding = await look(parser, { seed, numRuns, until: end });
      runs.set(parser.name, (runs.get(parser.name) ?? 0) + finding.runs);
      if (finding.words !== null) found.set(parser.name, finding.words);
    }
  }
  for (const [name, count] of runs)
    print(`${found.has(name) ? 'FOUND' : 'ok   '} ${String(count).padStart(9)} ${name}`);
  for (const words of found.values()) print(`\n${words}`);
  print(`\nfirst seed ${first}, ${found.size} findings`);
  process.exitCode = found.size === 0 ? 0 : 1;
}

interface Asked {
  seed: number;
  numRuns: number;
  until: number;
}

async function look(parser: Parser, { seed, numRuns, until }: Asked): Promise<{ runs: number; words: string | null }> {
  const property = fc.asyncProperty(inputOf(parser), async (input) => {
    const began = process.cpuUsage();
    await parsesOrRefuses(parser, input);
    const { user } = process.cpuUsage(began);
    // A pattern that backtracks is counted by no block: here its time shows it, on a machine that does nothing else.
    if (user > SLOW_MS * 1_000) throw new Error(`${input.length} characters take ${Math.round(user / 1_000)} ms`);
  });
  const details = await fc.check(property, { seed, numRuns, interruptAfterTimeLimit: Math.max(1, until - Date.now()) });
  if (!details.failed || details.counterexample === null) return { runs: details.numRuns, words: null };
  const [input] = details.counterexample;
  const why =
    details.errorInstance instanceof Error ? (details.errorInstance.stack ?? '') : String(details.errorInstance);
  const again = `npm run fuzz -- --only '${parser.name}' --seed ${seed}`;
  return {
    runs: details.numRuns,
    words: `${parser.name}: ${JSON.stringify(input)}\n${why.split('\n').slice(0, 6).join('\n')}\n${again}`,
  };
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const SLOW_MS = 2_000;

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

const names = (): string => PARSERS.map(({ name }) => `'${name}'`).join(' | ');

void main();
