import type { Container } from '../container';
import type { HealthFailure } from '../health/health-failure';
import type { Application } from '../application';
import type { Plan } from './plan';
import type { NewMajor } from './postgres-major';
import { newMajorRisks, postgresRisks } from './postgres-risks';

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

/** What can go wrong in an update, and what then: one sentence or two each (sources: facts, PostgreSQL, Gitea, nginx). */
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
  return `${name} failed its health check when this was decided (${detail}). The new version, or the old one after a rollback, may fail it too. ${remedy}`;
}

const DOWNTIME = 'Downtime: ';

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
    const names = stopped.map((container) => container.name).join(', ');
    const are = stopped.length === 1 ? 'is' : 'are';
    const after = application === 'gitea' ? ', after its migrations, which can take minutes' : '';
    return `${DOWNTIME}${names} ${are} offline from the start of the backup (longer with more data) until the new ${name} is healthy${after}.`;
  }
  if (labels.strategy === 'handover')
    return `${DOWNTIME}none is expected, since the old ${name} serves until the new one does.`;
  if (application === 'gitea')
    return `${DOWNTIME}Gitea answers again only after its migrations, which can take minutes.`;
  if (application === 'postgres' || application === 'database') {
    return `${DOWNTIME}whatever uses ${name} has no database until the new one is up, usually for seconds.`;
  }
  return `${DOWNTIME}from the stop of the old ${name} until the new one answers, usually a few seconds.`;
}

/** Of the size of the change. */
export function risksOfJump({ jump }: Pick<Risky, 'jump'>): string[] {
  if (jump === 'major') return ['A major version may drop or change what you rely on: read its release notes first.'];
  if (jump === 'downgrade')
    return ['This goes back to an older version: it may not understand what the newer one has written.'];
  if (jump === 'other') return ['The two tags cannot be compared, so the size of this change is unknown.'];
  return [];
}

const RISKS_OF: Record<Application, (risky: Risky) => string[]> = {
  postgres: ({ container, target, jump, newMajor }) =>
    newMajor === null
      ? postgresRisks({ from: container.reference, to: target, jump })
      : newMajorRisks(newMajor, container.name),
  database: ({ stopped }) => [
    `A newer database server may convert its files at the first start, and the old one then cannot read them: a rollback restores the old image, not the old files. Those are only in the backup${restoredAutomatically(stopped)}.`,
  ],
  gitea: ({ stopped }) => [
    `Gitea migrates its database when it starts, and an older Gitea refuses the newer schema. After the migration has started, a rollback needs the old image and the backup of database and files${restoredAutomatically(stopped)}.`,
  ],
  nginx: () => ['nginx keeps no data: going back to the old image is going back completely.'],
  unknown: ({ container: { name }, stopped }) => [
    `The new image of ${name} may change its data when it starts. A rollback restores the old image, not the old data${stopped.length === 0 ? '' : ', which is in the backup'}${restoredAutomatically(stopped)}.`,
  ],
};

/** Containers that were stopped for the backup have written nothing since, so it can be restored without asking. */
function restoredAutomatically(stopped: Risky['stopped']): string {
  return stopped.length === 0 ? '' : '; it is restored automatically if the old version does not work without it';
}

function noBackup({ name, project }: Container): string {
  const where = project === null ? name : `the project ${project}`;
  return `Nothing is backed up, since no container of ${where} carries backup.kind: if it has data that matters, label it before you go on.`;
}
