import { tryParseImageReference } from '../images/image-reference';
import type { Plan } from './plan';
import { majorByTag, type NewMajor } from './postgres-major';

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
  const majors = [majorByTag(from), majorByTag(to)];
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

/** The databases are loaded into a new data directory; the old one is the way back. */
export function newMajorRisks({ from, to }: NewMajor, name: string): string[] {
  return [
    `Every database of ${name} is loaded into a new data directory of PostgreSQL ${to}. If anything fails or differs, the data directory of PostgreSQL ${from} is put back, and the old container is started on it.`,
    'What a program writes to the databases between the backup and the end of the load is lost, if its container neither is in the backup set nor depends on the database (depends_on): stop such a program yourself.',
    'The volume holds the data twice until the old data directory is removed, which the mail of the success shows how to do, or for 30 days.',
    'The load builds every index again, so an image with another C library needs no REINDEX afterwards.',
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

function baseOf(reference: string): string | null {
  return BASE.exec(tryParseImageReference(reference)?.tag ?? '')?.[1] ?? null;
}
