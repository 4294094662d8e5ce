import { tryParseImageReference } from '../images/image-reference';
import { parseTag } from '../images/parse-tag';
import type { Plan } from './plan';

/** The repository whose first number is PostgreSQL's own major; that of others (PostGIS, TimescaleDB) may count anything. */
const OFFICIAL = /^(?:postgres|postgresql)$/;
/** What the tags of the official image name as their base: a release of Debian, or of Alpine. */
const BASE = /-((?:alpine|bullseye|bookworm|trixie|forky)(?:\d+(?:\.\d+)*)?)(?=-|$)/;

interface Move {
  from: string;
  to: string;
  jump: Plan['jump'];
}

/** What the two tags alone tell of an update of PostgreSQL (facts, PostgreSQL): the major of the data, and the base of the image. */
export function postgresRisks(move: Move): string[] {
  return [...majorRisk(move), ...collationRisk(move)];
}

/** Another major version: it will stop before anything is changed. Empty: it is the same one. */
export function majorRisk({ from, to, jump }: Move): string[] {
  const majors = [majorOf(from), majorOf(to)];
  const known = majors.every((major) => major !== null);
  if (known && majors[0] !== majors[1]) {
    return [
      `The data directory is of PostgreSQL ${majors[0]}, and PostgreSQL ${majors[1]} never starts on it: this update will stop before anything is changed. ` +
        'Such a move needs a dump and a restore (or pg_upgrade) by hand.',
    ];
  }
  if (known || jump === 'digest' || jump === 'patch' || jump === 'minor') return [];
  return [
    'PostgreSQL never starts on the data directory of another major version. If the new image is of another one, the update stops before anything is changed; such a move needs a dump and a restore.',
  ];
}

/** Where both tags name the same base, the C library stays what it is. */
function collationRisk({ from, to }: Move): string[] {
  const [before, after] = [baseOf(from), baseOf(to)];
  if (before !== null && before === after && !/^alpine$/.test(before)) return [];
  const what =
    before !== null && after !== null && before !== after
      ? `The base of the image changes from ${before} to ${after}, and with it may`
      : 'If the base of the image changed (such as Debian 12 to 13, or to Alpine), so may';
  return [
    `${what} the C library and the order of text in indexes: look for "collation version mismatch" in the log afterwards, then REINDEX DATABASE and ALTER DATABASE … REFRESH COLLATION VERSION.`,
  ];
}

function majorOf(reference: string): string | null {
  const image = tryParseImageReference(reference);
  if (!OFFICIAL.test(image?.path.split('/').pop() ?? '')) return null;
  const version = parseTag(image?.tag ?? '');
  return version?.form === 'version' ? String(version.numbers[0]) : null;
}

function baseOf(reference: string): string | null {
  return BASE.exec(tryParseImageReference(reference)?.tag ?? '')?.[1] ?? null;
}
