import fc from 'fast-check';
import { HOSTILE } from '../support/hostile-strings';
import type { Parser } from './parsers/parser';

/** Words of the grammar, hostile strings and noise. */
function soup({ pieces }: Parser): fc.Arbitrary<string> {
  const word = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...pieces) },
    { weight: 1, arbitrary: fc.constantFrom(...HOSTILE) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
    { weight: 1, arbitrary: fc.stringMatching(/^[a-z0-9. -]{0,8}$/) },
  );
  return fc.array(word, { maxLength: 40 }).map((words) => words.join(''));
}

/** A text that is accepted, with parts of it cut, doubled or replaced. */
function spoilt(parser: Parser): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(4096),
    cut: fc.nat(24),
    put: fc.oneof(fc.constant(''), fc.constantFrom(...parser.pieces), fc.string({ unit: 'binary', maxLength: 4 })),
    twice: fc.boolean(),
  });
  return fc.tuple(fc.constantFrom(...parser.seeds), fc.array(edit, { maxLength: 6 })).map(([seed, edits]) =>
    edits.reduce((text, { at, cut, put, twice }) => {
      const from = text.length === 0 ? 0 : at % text.length;
      const gone = text.slice(from, from + cut);
      return `${text.slice(0, from)}${put}${twice ? gone + gone : ''}${text.slice(from + cut)}`;
    }, seed),
  );
}

/** What no reader of a document expects in any place of it. */
const VALUES: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    1e21,
    '',
    'x',
    [],
    {},
    [[]],
    [null],
    { a: 1 },
    { length: 1 },
    { toString: null },
    ['x', 0],
    'x'.repeat(5_000),
  ],
  ...HOSTILE,
];

/** A document that is accepted, with another value in one or two places. */
function otherwise(documents: readonly unknown[]): fc.Arbitrary<string> {
  const place = fc.record({ at: fc.nat(1_000), value: fc.oneof(fc.constantFrom(...VALUES), fc.jsonValue()) });
  return fc
    .tuple(fc.constantFrom(...documents), fc.array(place, { minLength: 1, maxLength: 3 }))
    .map(([document, places]) =>
      JSON.stringify(places.reduce((changed, { at, value }) => replaced(changed, at, value), document)),
    );
}

/** The value in the place of that number, counted through the whole document. */
function replaced(document: unknown, at: number, value: unknown): unknown {
  const places = countOf(document);
  let left = at % places;
  const walk = (one: unknown): unknown => {
    if (left-- === 0) return value;
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(document);
}

function countOf(document: unknown): number {
  if (typeof document !== 'object' || document === null) return 1;
  return Object.values(document).reduce((sum: number, inner) => sum + countOf(inner), 1);
}

function documentsOf({ seeds }: Parser): unknown[] {
  return seeds.filter((seed) => seed.startsWith('{') || seed.startsWith('[{')).flatMap((seed) => parsed(seed));
}

function parsed(seed: string): unknown[] {
  try {
    return [JSON.parse(seed)];
  } catch {
    return [];
  }
}

export function inputOf(parser: Parser): fc.Arbitrary<string> {
  const documents = documentsOf(parser);
  return fc.oneof(
    { weight: 2, arbitrary: soup(parser) },
    { weight: 3, arbitrary: spoilt(parser) },
    ...(documents.length === 0 ? [] : [{ weight: 5, arbitrary: otherwise(documents) }]),
  );
}

/** One text in two sizes: something in the middle is repeated. */
export interface Growth {
  short: string;
  long: string;
}

export const TIMES = 8;

export function growthOf(parser: Parser): fc.Arbitrary<Growth> {
  const some = fc.oneof(fc.constantFrom(...parser.pieces), fc.constantFrom(...parser.seeds), fc.constant(''));
  const unit = fc.array(fc.oneof(fc.constantFrom(...parser.pieces), fc.string({ maxLength: 3 })), {
    minLength: 1,
    maxLength: 4,
  });
  return fc.record({ before: some, unit, after: some }).map(({ before, unit: words, after }) => {
    const word = words.join('').slice(0, 80);
    const times = (count: number): string => `${before}${word.repeat(count)}${after}`;
    return { short: times(60), long: times(60 * TIMES) };
  });
}
