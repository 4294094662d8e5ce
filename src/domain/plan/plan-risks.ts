import type { Container } from '../container';
import type { HealthFailure } from '../health-failure';
import type { Application } from '../application';
import type { Plan } from './plan';
import { postgresRisks } from './postgres-risks';

interface Risky {
  container: Container;
  /** The new image, in the operator's spelling. */
  target: string;
  application: Application;
  jump: Plan['jump'];
  hasBackup: boolean;
  /** Who is stopped for the backup. */
  stopped: readonly Container[];
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

/** Nobody could tell whether the update has worked, nor whether its rollback has. */
export function unhealthyBefore({ name }: Container, { of, detail }: HealthFailure): string {
  const mend =
    of === 'probe'
      ? `If ${name} works, its label update.probe is wrong: mend it before you go on.`
      : 'The new version may mend it; if not, it is rolled back to what is ill as now.';
  return `${name} did not pass its health check when this was decided (${detail}), so neither may the new version, nor the old one after a rollback. ${mend}`;
}

function downtimeOf({ container: { name, labels }, application, stopped }: Risky): string {
  if (stopped.length > 0) {
    const names = stopped.map((container) => container.name).join(', ');
    const are = stopped.length === 1 ? 'is' : 'are';
    const after = application === 'gitea' ? ', after its migrations, which can take minutes' : '';
    return `Downtime: ${names} ${are} away from the begin of the backup, which takes longer the more data there is, until the new ${name} serves${after}.`;
  }
  if (labels.strategy === 'handover')
    return `Downtime: none is expected, since the old ${name} serves until the new one does.`;
  if (application === 'gitea')
    return `Downtime: Gitea answers again only after its migrations, which can take minutes.`;
  if (application === 'postgres' || application === 'database') {
    return `Downtime: whatever uses ${name} has no database until the new one is up, usually for seconds.`;
  }
  return `Downtime: from the stop of the old ${name} until the new one answers, usually a few seconds.`;
}

function risksOfJump({ jump }: Risky): string[] {
  if (jump === 'major') return ['A major version may drop or change what you rely on: read its release notes first.'];
  if (jump === 'downgrade')
    return ['This goes back to an older version: it may not understand what the newer one has written.'];
  if (jump === 'other') return ['The two tags cannot be compared, so nobody can say how large this change is.'];
  return [];
}

const RISKS_OF: Record<Application, (risky: Risky) => string[]> = {
  postgres: ({ container, target, jump }) => postgresRisks({ from: container.reference, to: target, jump }),
  database: ({ stopped }) => [
    `A newer database server may convert its files at the first start, and the old one then cannot read them: a rollback brings back the old image, not the old files. Those are only in the backup${byItself(stopped)}.`,
  ],
  gitea: ({ stopped }) => [
    `Gitea migrates its database when it starts, and an older Gitea refuses the newer schema. If the migration has begun, going back needs the old image and the backup of database and files${byItself(stopped)}.`,
  ],
  nginx: () => ['nginx keeps no data: going back to the old image is going back completely.'],
  unknown: ({ container: { name }, stopped }) => [
    `What the new image of ${name} does to its data when it starts is not known here. A rollback brings back the old image, not the old data${stopped.length === 0 ? '' : ': that is in the backup'}${byItself(stopped)}.`,
  ],
};

/** Whoever was stopped for the backup has written nothing since: then it is put back without asking. */
function byItself(stopped: Risky['stopped']): string {
  return stopped.length === 0 ? '' : '; it is restored by itself where the old version does not serve without it';
}

function noBackup({ name, project }: Container): string {
  const where = project === null ? name : `the project ${project}`;
  return `Nothing is backed up, since no container of ${where} carries backup.kind: if it has data that matters, label it before you go on.`;
}
