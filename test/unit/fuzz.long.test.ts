import fc from 'fast-check';
import { growthOf, inputOf, TIMES } from '../fuzz/inputs';
import { parsesOrRefuses } from '../fuzz/judge';
import { PARSERS } from '../fuzz/parsers';
import type { Parser } from '../fuzz/parsers/parser';
import { countWork, type WorkCounter } from '../support/count-work';

// The same table runs for as long as you like with `npm run fuzz`.
const table = PARSERS.map((parser) => [parser.name, parser] as const);
const rows = (parsers: readonly Parser[]) => parsers.map((parser) => [parser.name, parser] as const);

// Counted from here on: see countWork.
const work: WorkCounter = countWork();
afterAll(() => work.close());

/** Of what grows with its input, but for the dearest word of it. */
const LINEAR = TIMES * 3;
/** Blocks that run whatever the input is. */
const FLOOR = 2_000;

/** A parser of a library does the work, or it waits for a server. */
const UNCOUNTED = ['Markdown', 'answers of a registry', 'registry logins', 'certificates'];

test.each(rows(PARSERS.filter(({ name }) => !UNCOUNTED.includes(name))))(
  'its work grows with its input, not faster: %s',
  async (_name, parser) => {
    const workOf = async (input: string): Promise<number> => {
      work.taken();
      await parsesOrRefuses(parser, input);
      return work.taken();
    };
    await fc.assert(
      fc.asyncProperty(growthOf(parser), async ({ short, long }) => {
        const [one, many] = [await workOf(short), await workOf(long)];
        expect(many).toBeLessThan(LINEAR * (one + FLOOR));
      }),
      { numRuns: 15 },
    );
  },
);

test.each(table)('whatever is written, it is read or refused with a reason: %s', async (_name, parser) => {
  for (const seed of parser.seeds) await parsesOrRefuses(parser, seed);
  await fc.assert(
    fc.asyncProperty(inputOf(parser), (input) => parsesOrRefuses(parser, input)),
    { numRuns: parser.slow ? 10 : 100 },
  );
});

test('the count notices work that grows with the square of its input', async () => {
  const folder = countWork('/test/unit/');
  const squared: Parser = {
    ...{ name: 'squared', seeds: [''], pieces: ['a'] },
    parse: (input) => {
      let steps = 0;
      for (const one of input) for (const other of input) if (one === other) steps++;
      return steps;
    },
  };
  const workOf = async (length: number): Promise<number> => {
    folder.taken();
    await parsesOrRefuses(squared, 'a'.repeat(length));
    return folder.taken();
  };
  expect([(await workOf(50)) > 2_500, (await workOf(400)) > 160_000]).toEqual([true, true]);
  folder.close();
});

test('a crash is a finding, and a refusal is none', async () => {
  const ends = (error: Error): Promise<void> =>
    parsesOrRefuses({ ...{ name: '', seeds: [], pieces: [] }, parse: () => Promise.reject(error) }, '');
  await expect(ends(new TypeError('x is not a function'))).rejects.toThrow(TypeError);
  await expect(ends(new RangeError('Maximum call stack size exceeded'))).rejects.toThrow(RangeError);
});
