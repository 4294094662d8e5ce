import type { Application } from '../application';
import type { Container } from '../container';
import type { HealthFailure } from '../health/health-failure';
import { tryParseImageReference } from '../images/image-reference';
import type { Plan } from './plan';
import { majorByTag, type NewMajor } from './postgres-major';

interface Risky {
  container: Container;
  /** The new image, in the operator's spelling. */
  target: string;
  application: Application;
  jump: Plan['jump'];
  hasBackup: boolean;
  /** Who is stopped for the backup. */
  stopped: readonly Container[];
  newMajor: NewMajor | null;
}

/** What can go wrong in an update, and what then: one sentence or two each (docs/research/postgresql.md, gitea.md, nginx.md). */
export function risksOf(risky: Risky): string[] {
  return [
    downtimeOf(risky),
    ...risksOfJump(risky),
    ...RISKS_OF[risky.application](risky),
    ...(risky.hasBackup ? [] : [noBackup(risky.container)]),
  ];
}

/** Neither the update nor its rollback could be verified. */
export function unhealthyBefore({ name }: Container, { of, detail }: HealthFailure): string {
  const remedy =
    of === 'probe'
      ? `If ${name} works, its label update.probe is wrong: fix it first.`
      : 'The new version may fix it; if not, it is rolled back to the current unhealthy state.';
  return `${name} failed its health check when this update was decided (${detail}). The new version, or the old one after a rollback, may fail it too. ${remedy}`;
}

export const DOWNTIME = 'Downtime: ';

/** Who is offline and for how long, from the risks of a plan; null: the plan does not say it. */
export function plannedDowntime({ risks }: Pick<Plan, 'risks'>): string | null {
  return risks.find((risk) => risk.startsWith(DOWNTIME))?.slice(DOWNTIME.length) ?? null;
}

function downtimeOf({ container: { name, labels }, application, stopped, newMajor }: Risky): string {
  if (newMajor !== null) {
    const names = [...new Set([name, ...stopped.map((container) => container.name)])].join(', ');
    return `${DOWNTIME}${names}, from the start of the backup until every database is loaded into PostgreSQL ${newMajor.to} and compared: about as long as a backup and a restore.`;
  }
  if (stopped.length > 0) {
    const after = application === 'gitea' ? ', after its migrations, which can take minutes' : '';
    return `${offlineForBackup(name, stopped)}${after}.`;
  }
  if (labels.strategy === 'handover')
    return `${DOWNTIME}none is expected, because the old ${name} runs until the new one answers.`;
  if (application === 'gitea')
    return `${DOWNTIME}Gitea answers again only after its migrations, which can take minutes.`;
  if (application === 'postgres' || application === 'database') {
    return `${DOWNTIME}programs that use ${name} have no database until the new one is up, usually for a few seconds.`;
  }
  return `${DOWNTIME}from the stop of the old ${name} until the new one answers, usually a few seconds.`;
}

/** Without the point at its end. */
export function offlineForBackup(name: string, stopped: readonly Container[]): string {
  const names = stopped.map((container) => container.name).join(', ');
  const are = stopped.length === 1 ? 'is' : 'are';
  return `${DOWNTIME}${names} ${are} offline from the start of the backup (longer with more data) until the new ${name} is healthy`;
}

/** Of the size of the change. */
export function risksOfJump({ jump }: Pick<Risky, 'jump'>): string[] {
  if (jump === 'major')
    return ['A major version may remove or change features that you use: read its release notes first.'];
  if (jump === 'downgrade')
    return ['This update goes back to an older version, which may not understand data that the newer one has written.'];
  if (jump === 'other') return ['The two tags cannot be compared, so the size of this change is unknown.'];
  return [];
}

const RISKS_OF: Record<Application, (risky: Risky) => string[]> = {
  postgres: ({ container, target, jump, newMajor }) =>
    newMajor === null
      ? postgresRisks({ from: container.reference, to: target, jump })
      : newMajorRisks(newMajor, container.name),
  database: ({ stopped }) => [
    `A newer database server may convert its files at the first start, and the old one then cannot read them: a rollback restores the old image, not the old files. The old files are only in the backup${restoredAutomatically(stopped)}.`,
  ],
  gitea: ({ stopped }) => [
    `Gitea migrates its database when it starts, and an older Gitea refuses the newer schema. After the migration has started, a rollback needs the old image and the backup of database and files${restoredAutomatically(stopped)}.`,
  ],
  nginx: () => ['nginx keeps no data: a rollback to the old image is complete.'],
  unknown: ({ container: { name }, stopped }) => [
    `The new image of ${name} may change its data when it starts. A rollback restores the old image, not the old data${stopped.length === 0 ? '' : ', which is in the backup'}${restoredAutomatically(stopped)}.`,
  ],
};

/** Containers that were stopped for the backup have written nothing since, so it can be restored without asking. */
function restoredAutomatically(stopped: Risky['stopped']): string {
  return stopped.length === 0
    ? ''
    : '; the backup is restored automatically if the old version does not work with the changed data';
}

function noBackup({ name, project }: Container): string {
  const where = project === null ? name : `the project ${project}`;
  return `Nothing is backed up: no container of ${where} has the label backup.kind. If it holds data that matters, add the label before you update it.`;
}

/** What the tags of the official image name as their base: a release of Debian, or of Alpine. */
const BASE = /-((?:alpine|bullseye|bookworm|trixie|forky)(?:\d+(?:\.\d+)*)?)(?=-|$)/;

interface Move {
  from: string;
  to: string;
  jump: Plan['jump'];
}

/** What the two tags alone show of an update of PostgreSQL (docs/research/postgresql.md): the major of the data, and the base of the image. */
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
        'Only a container can be moved to a newer major automatically. Everything else needs a manual dump and restore.',
    ];
  }
  if (known || jump === 'digest' || jump === 'patch' || jump === 'minor') return [];
  return [
    'PostgreSQL never starts on the data directory of another major version. If the new image has another major version, the update stops before anything is changed. Such a move needs a dump and a restore.',
  ];
}

/** The databases are loaded into a new data directory; the old one is the way back. */
function newMajorRisks({ from, to }: NewMajor, name: string): string[] {
  return [
    `Every database of ${name} is loaded into a new data directory of PostgreSQL ${to}. If anything fails or differs, the data directory of PostgreSQL ${from} is put back, and the old container is started on it.`,
    `If the update is rolled back after the applications were started, the old data directory lacks what they wrote since. That data is kept in the data directory of PostgreSQL ${to} for 30 days.`,
    `update.soak is ignored, because the old container cannot run on the new data. To go back later, restore the backup of this update into PostgreSQL ${from}.`,
    'Some programs are not stopped: those outside of the backup set that do not depend on the database (depends_on), and those with backup.quiesce=never. What they write between the backup and the end of the load is lost. If such a program is connected, the update stops before anything is changed: stop the program yourself.',
    'The volume holds the data twice for 30 days, or until you remove the old data directory. The mail about the success has the command.',
    'The load builds every index again, so an image with another C library needs no REINDEX afterwards.',
  ];
}

/** Where both tags name the same base, the C library stays what it is. */
function collationRisk({ from, to }: Move): string[] {
  const [before, after] = [baseOf(from), baseOf(to)];
  if (before !== null && before === after && !/^alpine$/.test(before)) return [];
  const what =
    before !== null && after !== null && before !== after
      ? `The base of the image changes from ${before} to ${after}. This may change`
      : 'If the base of the image changed (such as Debian 12 to 13, or to Alpine), this may also change';
  return [
    `${what} the C library and the order of text in indexes: look for "collation version mismatch" in the log afterwards, then REINDEX DATABASE and ALTER DATABASE … REFRESH COLLATION VERSION.`,
  ];
}

function baseOf(reference: string): string | null {
  return BASE.exec(tryParseImageReference(reference)?.tag ?? '')?.[1] ?? null;
}
