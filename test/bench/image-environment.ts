import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const OF_MEMORY = ['MALLOC_ARENA_MAX', 'NODE_OPTIONS'];

/** What the image sets that decides how much memory the program takes, so that it is measured as it is shipped. */
export function imageEnvironment(): Record<string, string> {
  const lines = readFileSync(join(__dirname, '../../Dockerfile'), 'utf8').match(/^ENV .*$/gm) ?? [];
  const set = new Map(lines.flatMap((line) => line.slice(4).split(' ')).map((one) => cut(one)));
  return Object.fromEntries(
    OF_MEMORY.map((name) => {
      const value = set.get(name);
      if (value === undefined) throw new Error(`the Dockerfile does not set ${name}`);
      return [name, value];
    }),
  );
}

function cut(one: string): [string, string] {
  const at = one.indexOf('=');
  return [one.slice(0, at), one.slice(at + 1)];
}
