/** Counts elementary steps of work on foreign text, and throws beyond its limit: a bound that no slow machine can miss. */
export class Steps {
  #taken = 0;

  constructor(
    private readonly limit: number,
    private readonly tooMany: () => Error,
  ) {}

  get taken(): number {
    return this.#taken;
  }

  take(count = 1): void {
    this.#taken += count;
    if (this.#taken > this.limit) throw this.tooMany();
  }
}

type Glob = (path: string, steps: Steps) => boolean;

/** No path is longer (PATH_MAX). */
const LONGEST = 4096;

/**
 * Matches paths with a pattern of a shell (`*`, `?`, `[a-z]`, `[!a-z]`, `\x`; none of them matches `/`). There is no backtracking: each
 * character of a path is read once, with the set of places in the pattern where the match may be, and each place is a step.
 */
export function compileGlob(pattern: string): Glob {
  if (pattern.length > LONGEST) return () => false;
  const wildcard = pattern.search(/[*?[\\]/);
  if (wildcard < 0) {
    return (path, steps) => {
      steps.take();
      return path === pattern;
    };
  }
  const prefix = pattern.slice(0, wildcard);
  const parts = partsOf(pattern.slice(wildcard));
  return (path, steps) => {
    steps.take();
    return path.length <= LONGEST && path.startsWith(prefix) && matches(parts, path.slice(wildcard), steps);
  };
}

function matches(parts: readonly Part[], path: string, steps: Steps): boolean {
  let places = withStarsSkipped(parts, new Set([0]), steps);
  for (const character of path) {
    const next = new Set<number>();
    for (const place of places) {
      steps.take();
      const part = parts[place];
      if (part?.matches(character) === true) next.add(part.repeats ? place : place + 1);
    }
    if (next.size === 0) return false;
    places = withStarsSkipped(parts, next, steps);
  }
  return places.has(parts.length);
}

interface Part {
  repeats: boolean;
  matches(character: string): boolean;
}

const STAR: Part = { repeats: true, matches: (character) => character !== '/' };
const ANY: Part = { repeats: false, matches: (character) => character !== '/' };
const literal = (own: string): Part => ({ repeats: false, matches: (character) => character === own });

/** Adjacent stars are one. */
function partsOf(pattern: string): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    const list = character === '[' ? listAt(pattern, at) : null;
    if (list !== null) {
      parts.push(list.part);
      at = list.end;
    } else if (character === '*') {
      if (parts.at(-1) !== STAR) parts.push(STAR);
    } else if (character === '?') parts.push(ANY);
    else if (character === '\\' && at + 1 < pattern.length) parts.push(literal(pattern.charAt(++at)));
    else parts.push(literal(character));
  }
  return parts;
}

/** Longer lists than this are read as they are written, as a shell does with one that is not closed. */
const LONGEST_LIST = 256;

function listAt(pattern: string, from: number): { part: Part; end: number } | null {
  const negated = '!^'.includes(pattern.charAt(from + 1)) && pattern.length > from + 1;
  const first = from + (negated ? 2 : 1);
  const end = pattern.slice(0, from + LONGEST_LIST).indexOf(']', first + 1);
  if (end < 0) return null;
  const members = pattern.slice(first, end);
  const matches = (character: string): boolean => character !== '/' && isMember(members, character) !== negated;
  return { part: { repeats: false, matches }, end };
}

function isMember(members: string, character: string): boolean {
  for (let at = 0; at < members.length; at++) {
    const [low, dash, high] = [members.charAt(at), members.charAt(at + 1), members.charAt(at + 2)];
    if (dash === '-' && high !== '') {
      if (low <= character && character <= high) return true;
      at += 2;
    } else if (low === character) return true;
  }
  return false;
}

/** A star may match nothing: the place after it is one of the places, too. */
function withStarsSkipped(parts: readonly Part[], places: ReadonlySet<number>, steps: Steps): Set<number> {
  const all = new Set(places);
  for (const place of all) {
    steps.take();
    if (parts[place]?.repeats === true) all.add(place + 1);
  }
  return all;
}
