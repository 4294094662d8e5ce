import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

// A pattern that backtracks is seen by no count of blocks (support/count-work.ts). Each pattern of the source reads texts in which a
// part of what it accepts is repeated, in two sizes. Their processor time is compared with each other and with a pattern that is
// known to be bad, in the same run: a slow machine is slow with all of them.
const SOURCE = join(__dirname, '../../src');
const SHORT = 1_000;
const TIMES = 8;

interface Literal {
  /** Further texts before what is repeated. */
  starts?: string[];
  place: string;
  pattern: RegExp;
}

function literalsOf(file: string): Literal[] {
  const text = readFileSync(join(SOURCE, file), 'utf8');
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Literal[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      const pattern = new RegExp(node.text.slice(1, end), node.text.slice(end + 1));
      found.push({ place: `${file}: ${node.text}`, pattern });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

const FILES = (readdirSync(SOURCE, { recursive: true }) as string[]).filter((file) => /\.tsx?$/.test(file)).sort();
const LITERALS = FILES.flatMap(literalsOf);

const COMMON = ['a', '0', ' ', 'A', '\n', '/', '.', '-', 'a ', 'a,', 'A: ', '\n '];

/** What stands before a repeated unit, and the units. */
function partsOf({ pattern, starts = [] }: Literal): [before: string, unit: string][] {
  const { source } = pattern;
  const characters = new Set(source.replace(/\\[a-zA-Z]/g, '').replace(/[\\^$*+?()[\]{}|]/g, ''));
  const words = source.match(/[A-Za-z0-9/: ,.#-]{2,}/g) ?? [];
  const units = [...new Set([...COMMON, ...[...characters].slice(0, 10), ...words.slice(0, 3)])];
  return ['', ...new Set([...words.slice(0, 1), words.join(''), ...starts])].flatMap((before) =>
    units.map((unit): [string, string] => [before, unit]),
  );
}

const textOf = ([before, unit]: [string, string], length: number): string =>
  `${before}${unit.repeat(Math.ceil(length / unit.length))}\u0001`;

function timeOf({ pattern }: Literal, texts: readonly string[]): number {
  const copy = new RegExp(pattern.source, pattern.flags);
  const start = process.cpuUsage();
  for (const text of texts) {
    if (copy.global) Array.from(text.matchAll(copy));
    else copy.exec(text);
  }
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

/** Of one bad pattern on one short text. */
const BAD: Literal = { place: 'bad', pattern: / +$/ };
const badTime = (length: number): number => timeOf(BAD, [textOf(['', ' '], length)]);

/** The inputs whose time grows faster than they do, asked again so that a busy moment counts for nothing. */
function tooSlow(literal: Literal): string[] {
  const parts = partsOf(literal);
  const limit = Math.max(badTime(SHORT * 3), badTime(SHORT * 3));
  if (
    timeOf(
      literal,
      parts.map((part) => textOf(part, SHORT * TIMES)),
    ) < limit
  )
    return [];
  const grows = (part: [string, string]): boolean => {
    const [one, many] = [timeOf(literal, [textOf(part, SHORT)]), timeOf(literal, [textOf(part, SHORT * TIMES)])];
    return many > limit && many > one * TIMES * 2;
  };
  return parts.filter((part) => grows(part) && grows(part) && grows(part)).map((part) => JSON.stringify(part));
}

test('the check notices a pattern whose time grows with the square of its input', () => {
  expect(tooSlow(BAD).length).toBeGreaterThan(0);
  const old = /^find: '?(\/.*?)'?: ([A-Z][^:\n]*?)\s*$/gm;
  expect(tooSlow({ place: '', pattern: old, starts: ["find: '/a': Bad"] }).length).toBeGreaterThan(0);
  expect(tooSlow({ place: '', pattern: /(?<! ) +$/ })).toEqual([]);
});

test('the time of each pattern grows with its input, not faster', () => {
  expect(LITERALS.length).toBeGreaterThan(300);
  const slow = LITERALS.map((literal) => [literal.place, tooSlow(literal)] as const).filter(
    ([, inputs]) => inputs.length > 0,
  );
  expect(slow).toEqual([]);
});
