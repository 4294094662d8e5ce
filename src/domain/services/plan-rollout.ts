import { type Container, runningDigest } from '../container';
import { formatTimeout, plural } from '../format';
import type { HealthFailure } from '../health/health-failure';
import { hasSameTag, type ImageTarget } from '../images/image-reference';
import type { Plan } from '../plan/plan';
import { DOWNTIME, offlineForBackup, risksOfJump, unhealthyBefore } from '../plan/plan-risks';
import { BACKED_UP, backupSentence, probeText, quiescedSentence } from '../plan/plan-update';
import { seenSettings } from '../plan/seen-settings';
import {
  replicasOf,
  type RolloutConfig,
  rolloutOf,
  type ServiceInspect,
  type ServiceSpec,
  stopGraceMs,
} from './swarm-inspect';

/** What the plan for a service is made of. */
export interface PlannedService {
  target: Container;
  to: ImageTarget;
  jump: Plan['jump'];
  unhealthy: HealthFailure | null;
  window: string | null;
  releaseNotes: string | null;
  /** Members of its backup set. */
  set: readonly Container[];
  holdsData: boolean;
  /** Services that are scaled to 0 for the backup, in the order in which they are scaled back. */
  stopped: readonly Container[];
  /** Services that may write to the set while it is backed up. */
  goOn: readonly Container[];
}

/** Says in sentences what the update of a service will do and what can go wrong. Pure. */
export function planService(planned: PlannedService): Plan {
  const { target, to, jump, unhealthy, window, releaseNotes, set, holdsData, stopped, goOn } = planned;
  const warnings = unhealthy === null ? [] : [unhealthyBefore(target, unhealthy)];
  return {
    kind: 'service',
    container: target.name,
    project: target.project,
    service: target.service,
    from: { reference: target.reference, digest: runningDigest(target) },
    to,
    jump,
    backup: set.flatMap(backupSentence),
    holdsData,
    restores: stopped.length > 0 && goOn.length === 0,
    course: courseOf(planned),
    risks: [...warnings, downtimeOf(planned), ...risksOfJump({ jump }), ...dataRisks(planned)],
    ...(warnings.length === 0 ? {} : { warnings }),
    followUp: followUpOf(target, to.reference),
    ...{ releaseNotes, window },
    seen: seenSettings(target),
  };
}

function courseOf({ target, to, set, stopped }: PlannedService): string[] {
  const { name, labels, swarm } = target;
  const { reference, digest } = to;
  const written = hasSameTag(target.reference, reference) ? undefined : swarm?.stackFile;
  return [
    ...(stopped.length === 0 ? [] : [scaledSentence(name, stopped)]),
    ...(set.length === 0 ? [] : [BACKED_UP]),
    `diun-pilot checks that no other rollout of ${name} is in progress. If one is, nothing is changed.`,
    `Swarm rolls out ${reference}@${digest} according to update_config: ${swarm?.rollout ?? ''}. Each node pulls the image.`,
    `Health is checked, for up to ${formatTimeout(labels.probeTimeoutMs)}: every task must run this digest, and its probe must pass (${probeText(labels.probe)}).`,
    `If Swarm pauses the rollout or the probe fails, Swarm rolls the service back to its previous spec, and the tasks are checked again.`,
    ...(written === undefined ? [] : [`The new tag is written into ${written}, if its line is unambiguous.`]),
  ];
}

function scaledSentence(name: string, stopped: readonly Container[]): string {
  const others = stopped.filter((each) => each.name !== name).map((each) => each.name);
  const own = others.length < stopped.length ? [name] : [];
  const until = others.length === 0 ? '' : ` Scaled back once ${name} is healthy: ${others.join(', ')}.`;
  return `${quiescedSentence([...own, ...others].join(', '), stopped.length, 'scaled to 0')}${until}`;
}

function downtimeOf({ target: { name, swarm }, stopped }: PlannedService): string {
  if (stopped.length > 0) return `${offlineForBackup(name, stopped)}.`;
  return `${DOWNTIME}${swarm?.downtime ?? `while the tasks of ${name} are replaced.`}`;
}

/** Its update_config, as text. */
export function rolloutText({ UpdateConfig }: ServiceSpec): string {
  const { Parallelism, Order, FailureAction } = rolloutOf(UpdateConfig);
  const at = Parallelism === 0 ? 'all tasks at once' : `${plural(Parallelism, 'task')} at a time`;
  return `${at}, ${Order}, failure_action ${FailureAction}`;
}

/** Follows `DOWNTIME`. */
export function downtimeText(spec: ServiceSpec): string {
  const { Name, Mode, UpdateConfig } = spec;
  const { Parallelism, Order } = rolloutOf(UpdateConfig);
  if (Order === 'start-first') return 'none is expected, because each new task runs before its old one is stopped.';
  if (Mode.Replicated !== undefined && Parallelism > 0 && replicasOf(spec) > Parallelism)
    return `none is expected, because other tasks of ${Name} run while some are replaced.`;
  return `from the stop of the old tasks of ${Name} until the new ones run, usually a few seconds (update_config order: stop-first).`;
}

function dataRisks({ target: { name, dataPaths, labels }, set, holdsData, stopped, goOn }: PlannedService): string[] {
  const lost = 'a rollback restores the old image, not the old data';
  if (set.length === 0 || (labels.backup === null && dataPaths.length > 0)) {
    if (dataPaths.length === 0) return [];
    return [
      `${name} has writable mounts (${dataPaths.join(', ')}), and they are not backed up: the new version may change them, and ${lost}.`,
    ];
  }
  const live = set.filter((each) => each.labels.backup?.kind === 'files' && !stopped.some(({ id }) => id === each.id));
  const others = goOn.filter(({ id }) => !live.some((each) => each.id === id));
  return [
    ...live.map(
      (each) =>
        `${each.name} is backed up while it runs, so its files may not match each other or the database. To have it scaled to 0 for the backup, label it backup.quiesce: allowed.`,
    ),
    ...(others.length === 0
      ? []
      : [
          `These services are not scaled to 0 and may write to the database during the backup: ${others.map((each) => each.name).join(', ')}. Label each with backup.quiesce: allowed, or with never if it does not write.`,
        ]),
    ...(holdsData && (stopped.length === 0 || goOn.length > 0)
      ? [`The new version may change the data. Then ${lost}, which is in the backup.`]
      : []),
  ];
}

/** Swarm does not know the stack file, so it is written only where a label names it. */
function followUpOf({ name, project, service, reference, swarm }: Container, target: string): string | null {
  if (hasSameTag(reference, target) || swarm?.stackFile !== undefined) return null;
  if (project === null)
    return `Replace ${reference} with ${target} in the script or command that creates the service ${name}.`;
  return `In the file of the stack ${project}, service ${service}, change the line "image: ${reference}" to "image: ${target}". Until then, "docker stack deploy" goes back to ${reference}.`;
}

const MS = 1e6;
/** Each node pulls the image. */
const PULL_MS = 10 * 60_000;

/** How long Swarm may take for a rollout: for each batch the start of its tasks, the delay, the monitor and the stop of the old ones. */
export function rolloutWithinMs(
  { Spec }: ServiceInspect,
  config: RolloutConfig | null | undefined,
  { tasks, startMs }: { tasks: number; startMs: number },
): number {
  const { Parallelism, Delay, Monitor } = rolloutOf(config);
  const batches = Parallelism === 0 ? 1 : Math.max(1, Math.ceil(tasks / Parallelism));
  return PULL_MS + batches * (startMs + (Delay + Monitor) / MS + stopGraceMs(Spec));
}
