import { type Application, applicationOf } from '../application';
import { type Container, runningDigest } from '../container';
import { formatTimeout } from '../format';
import type { HealthFailure } from '../health/health-failure';
import { hasSameTag, type ImageTarget } from '../images/image-reference';
import type { ProbeSpec } from '../labels/container-labels';
import { type CarryOver, carryOverTexts, NOTHING_TO_SAY } from '../recreate/carry-over';
import type { Plan } from './plan';
import { majorRisk, risksOf, unhealthyBefore } from './plan-risks';
import { composeChangeText, type NewMajor } from './postgres-major';
import { seenSettings } from './seen-settings';

/** What a plan is made of. */
export interface Planned {
  container: Container;
  /** In the operator's own spelling, with the digest to pull. */
  target: ImageTarget;
  jump: Plan['jump'];
  /** Members of the container's backup set; those without `backup.kind` are passed over. */
  set: readonly Container[];
  /** It carries `backup.kind`, or uses a database of the set and can migrate it. */
  holdsData: boolean;
  /** Containers stopped for the backup, in the order in which they are started again; empty if none is. */
  stopped?: readonly Container[];
  /** Who is restarted afterwards, or reloaded if it is an nginx, by `restart: true` of its `depends_on`. */
  restarted?: readonly Container[];
  /** How it fails its health check now; null: it passes, or was not asked. */
  unhealthy?: HealthFailure | null;
  /** What would be refused or lost; left out: it was not examined. */
  carryOver?: CarryOver;
  /** The update window, as it is written; null or left out: there is none. */
  window?: string | null;
  /** It is a new PostgreSQL major; null or left out: it is not. */
  newMajor?: NewMajor | null;
  /** http(s) only, else null. */
  releaseNotes: string | null;
}

/** Says in sentences what an update will do and what can go wrong. Pure: nothing is asked of the engine. */
export function planUpdate(planned: Planned): Plan {
  const {
    container,
    target,
    jump,
    set,
    holdsData,
    stopped = [],
    restarted = [],
    unhealthy = null,
    newMajor = null,
    releaseNotes,
  } = planned;
  const { carryOver = NOTHING_TO_SAY } = planned;
  const application = applicationFor(container);
  const backup = set.flatMap(backupSentence);
  const particular = [
    ...carryOverTexts(carryOver),
    ...(unhealthy === null ? [] : [unhealthyBefore(container, unhealthy)]),
  ];
  const move = { from: container.reference, to: target.reference, jump };
  const ofMajor =
    newMajor === null ? majorRisk(move) : newMajor.change === null ? [] : [composeChangeText(newMajor.change)];
  const warnings = [...particular, ...(application === 'postgres' ? ofMajor : [])];
  return {
    container: container.name,
    project: container.project,
    service: container.service,
    from: { reference: container.reference, digest: runningDigest(container) },
    to: target,
    jump,
    backup,
    holdsData,
    restores: stopped.length > 0,
    course: courseOf({ container, target, stopped, restarted, holdsData, newMajor }, application, backup.length > 0),
    risks: [
      ...particular,
      ...risksOf({
        ...{ container, target: target.reference, application, jump, hasBackup: backup.length > 0, stopped, newMajor },
      }),
    ],
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(newMajor === null ? {} : { newMajor }),
    followUp: followUpOf(container, target.reference),
    releaseNotes,
    window: planned.window ?? null,
    seen: seenSettings(container),
  };
}

/** `database` was decided with the image's environment, too. */
function applicationFor({ labels, reference, repoDigests, database }: Container): Application {
  const application = applicationOf({ labels, references: [reference, ...repoDigests] });
  return application === 'unknown' && database ? 'database' : application;
}

/** What is backed up of a member of a set; empty: nothing. */
export function backupSentence({ name, labels }: Container): string[] {
  if (labels.backup === null) return [];
  if (labels.backup.kind === 'postgres') return [`${name}: every PostgreSQL database, with the roles.`];
  return [`${name}: the files under ${enumerate(labels.backup.paths)}.`];
}

export const BACKED_UP = 'The data is backed up and read back. If that fails, nothing is changed.';

function courseOf(
  {
    container: { name, labels },
    target,
    stopped,
    restarted,
    holdsData,
    newMajor,
  }: Pick<Planned, 'container' | 'target' | 'holdsData'> &
    Required<Pick<Planned, 'stopped' | 'restarted' | 'newMajor'>>,
  application: Application,
  hasBackup: boolean,
): string[] {
  const handover = labels.strategy === 'handover';
  const swap = newMajor ? majorSwap(name, newMajor) : [swapSentence(name, handover)];
  const back = handover
    ? 'the new one is removed, and the old one keeps running'
    : `${newMajor ? 'the old data directory is put back, and ' : ''}the unchanged old container is started again`;
  return [
    ...(holdsData && labels.backup === null ? [usesDatabaseSentence(name)] : []),
    ...stopSentence(name, stopped),
    ...(hasBackup ? [BACKED_UP] : []),
    `The image ${target.reference} is pulled by its digest ${target.digest}.`,
    `diun-pilot checks whether the new image can work here${newMajor ? MAJOR_PREFLIGHT : preflightWords(application)}. If not, nothing is changed.`,
    ...swap,
    `The health of the new container is checked (${probeText(labels.probe)}), for up to ${formatTimeout(labels.probeTimeoutMs)}.`,
    ...restartSentence(name, restarted, stopped),
    `If it is healthy, the old container is removed. If not, ${back} and is checked.`,
  ];
}

const MAJOR_PREFLIGHT = ': the volume must have room for a second data directory';

function swapSentence(name: string, handover: boolean): string {
  return handover
    ? `A new ${name} is started next to the old one. Once it answers, the old one is stopped.`
    : `${name} is stopped and kept, and a new container of the same name is started from the new image.`;
}

/** The data directory of the old version stays in its volume, under another name. */
function majorSwap(name: string, { from, to }: NewMajor): string[] {
  return [
    `${name} is stopped. The new image creates an empty data directory of PostgreSQL ${to} in the same volume, with the same superuser, encoding, locale and settings. The data directory of PostgreSQL ${from} is kept next to it for 30 days.`,
    `A new container of the same name is started on it. Roles and databases are loaded from the backup, and ANALYZE is run.`,
    'Roles, grants, databases, extensions, row counts and sequences are compared with those of the old server. A difference is a failure.',
  ];
}

function usesDatabaseSentence(name: string): string {
  return `${name} counts as holding data (backup.quiesce=never opts out): it depends on a database that is backed up, and its new version can migrate that database.`;
}

function stopSentence(name: string, stopped: readonly Container[]): string[] {
  if (stopped.length === 0) return [];
  const others = stopped.filter((container) => container.name !== name).map((container) => container.name);
  const own = others.length < stopped.length ? [name] : [];
  const until =
    others.length === 0
      ? ''
      : ` ${enumerate(others)} ${others.length === 1 ? 'is' : 'are'} started again once ${name} is healthy.`;
  return [`${quiescedSentence(enumerate([...own, ...others]), stopped.length, 'stopped')}${until}`];
}

/** From the backup on: what is written in between would be lost by a restore. */
export function quiescedSentence(names: string, count: number, how: 'stopped' | 'scaled to 0'): string {
  return `For the backup, ${names} ${count === 1 ? 'is' : 'are'} ${how}, so that nothing is written after it.`;
}

/** Those that are stopped for the backup are started again in any case. */
function restartSentence(name: string, restarted: readonly Container[], stopped: readonly Container[]): string[] {
  const left = restarted.filter(({ id }) => !stopped.some((each) => each.id === id));
  return left.map(
    (each) =>
      `Then ${each.name} is ${each.nginx ? 'reloaded' : 'restarted'} and checked, because it depends on ${name} with restart: true.`,
  );
}

function preflightWords(application: Application): string {
  if (application === 'nginx') return ': nginx -t in the new image reads your configuration';
  if (application === 'postgres') return ': the major version of its data directory must be that of the new image';
  return '';
}

/** How health is checked, as text. */
export function probeText(probe: ProbeSpec): string {
  switch (probe.kind) {
    case 'docker':
      return 'its HEALTHCHECK; without one, that it runs without a restart';
    case 'http':
      return `http on port ${probe.port}, ${probe.path}`;
    case 'tcp':
      return `tcp port ${probe.port}`;
    case 'exec':
      // Only its name: arguments may hold a password, and a plan is mailed.
      return `the command ${probe.command[0]}`;
    case 'nginx':
    case 'postgres':
    case 'gitea':
      return `the ${probe.kind} probe`;
  }
}

/** The file of Compose still names the old tag, and its next `up -d` would go back to it. */
function followUpOf({ name, reference, service, composeFiles }: Container, target: string): string | null {
  if (hasSameTag(reference, target)) return null;
  if (composeFiles === null || service === null) {
    return `${name} was not created by Docker Compose: replace ${reference} with ${target} in the script or command that creates it.`;
  }
  const where = `In ${composeFiles} or the .env file read with it, change the image of the service ${service} from ${reference} to ${target}`;
  const who = 'If the folder is mounted writable, diun-pilot does this and reports it';
  return `${where}. ${who}. Until then, "docker compose up -d" goes back to ${reference}.`;
}

function enumerate(paths: readonly string[]): string {
  return paths.length < 2 ? paths.join('') : `${paths.slice(0, -1).join(', ')} and ${paths.at(-1)}`;
}
