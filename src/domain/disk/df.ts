import { formatBytes } from '../format';

const KIB = 1024;
const MIB = 1024 * KIB;
/** With less, an engine can neither unpack an image nor write the logs of what it starts. */
const TOO_LITTLE = 64 * MIB;
/** Less than a large image and its layers take. */
const NEARLY_FULL = 2048 * MIB;

/** Of the disk that a path is on, in POSIX units. */
export const dfOf = (path: string): string[] => ['df', '-Pk', path];
/** The root of a container is on the disk of the engine. */
export const DF = dfOf('/');

/** The available bytes; null: it printed nothing of the kind. The available kibibytes are the fourth column (POSIX). Pure. */
export function parseDf(lines: readonly string[]): number | null {
  const found = lines.map((line) => /\s(\d+)\s+\d+%\s+\/\S*$/.exec(line.trim())).find((match) => match !== null);
  return found === undefined ? null : Number(found[1]) * KIB;
}

/** What the free space of the engine means for an update: refused, reported, or fine. Pure. */
export function judgeDisk(free: number): { refused: boolean; words: string | null } {
  const refused = free < TOO_LITTLE;
  const words = `the disk of the Docker Engine is ${nearlyFull(free)} (docker system df shows what uses it)`;
  return { refused, words: refused || free < NEARLY_FULL ? words : null };
}

/** Until there is room: for `/health`, the page and `check`. Null: there is room. Pure. */
export function diskProblem(free: number): string | null {
  const { words } = judgeDisk(free);
  if (words === null) return null;
  return `the disk of the Docker Engine is ${diskInShort(free)} Make room: \`docker system df\` shows what uses it, \`docker image prune -a\` removes the images that no container uses`;
}

/** The same under the heading "Disk": without what it is about, and what to do. Pure. */
export function diskInShort(free: number): string {
  return `${nearlyFull(free)}.${judgeDisk(free).refused ? ' Updates are refused until there is room.' : ''}`;
}

function nearlyFull(free: number): string {
  return `nearly full: only ${formatBytes(free)} free`;
}
