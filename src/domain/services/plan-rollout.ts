import type { Container } from '../container';
import { formatTimeout, plural } from '../format';
import type { HealthFailure } from '../health/health-failure';
import { tryParseImageReference } from '../images/image-reference';
import type { Plan } from '../plan/plan';
import { probeText } from '../plan/plan-update';
import { risksOfJump, unhealthyBefore } from '../plan/plan-risks';
import { seenSettings } from '../plan/seen-settings';
import { runningDigest } from '../running-digest';
import type { ServiceSpec } from './swarm-inspect';

/** What the plan for a service is made of. */
export interface PlannedService {
  target: Container;
  to: { reference: string; digest: string };
  jump: Plan['jump'];
  unhealthy: HealthFailure | null;
  window: string | null;
  releaseNotes: string | null;
}

/** Says in sentences what the update of a service will do and what can go wrong. Pure. */
export function planService({ target, to, jump, unhealthy, window, releaseNotes }: PlannedService): Plan {
  const warnings = unhealthy === null ? [] : [unhealthyBefore(target, unhealthy)];
  return {
    kind: 'service',
    container: target.name,
    project: target.project,
    service: target.service,
    from: { reference: target.reference, digest: runningDigest(target) },
    to,
    jump,
    backup: [],
    ...{ holdsData: false, restores: false },
    course: courseOf(target, to),
    risks: [...warnings, ...downtimeOf(target), ...risksOfJump({ jump }), ...dataRisk(target)],
    ...(warnings.length === 0 ? {} : { warnings }),
    followUp: followUpOf(target, to.reference),
    ...{ releaseNotes, window },
    seen: seenSettings(target),
  };
}

function courseOf({ name, labels, swarm }: Container, { reference, digest }: PlannedService['to']): string[] {
  return [
    `It is checked that no other rollout of ${name} is under way. If one is, nothing is changed.`,
    `Swarm rolls out ${reference}@${digest} according to update_config: ${swarm?.rollout ?? ''}. Each node pulls the image.`,
    `Health is checked: every task must run this digest, and its probe must pass (${probeText(labels.probe)}), for up to ${formatTimeout(labels.probeTimeoutMs)}.`,
    `If Swarm pauses the rollout or the probe fails, Swarm rolls the service back to its previous spec, and the tasks are checked again.`,
  ];
}

function downtimeOf({ name, swarm }: Container): string[] {
  return [`Downtime: ${swarm?.downtime ?? `while the tasks of ${name} are replaced.`}`];
}

/** Swarm's own defaults where the spec does not say (swarmkit, api/defaults). */
export function rolloutText({ UpdateConfig }: ServiceSpec): string {
  const { Parallelism = 1, Order = 'stop-first', FailureAction = 'pause' } = UpdateConfig ?? {};
  const at = Parallelism === 0 ? 'all tasks at once' : `${plural(Parallelism, 'task')} at a time`;
  return `${at}, ${Order}, failure_action ${FailureAction}`;
}

/** Follows `Downtime: `. */
export function downtimeText({ Name, Mode, UpdateConfig }: ServiceSpec): string {
  const { Parallelism = 1, Order = 'stop-first' } = UpdateConfig ?? {};
  const replicas = Mode.Replicated === undefined ? null : (Mode.Replicated.Replicas ?? 1);
  if (Order === 'start-first') return 'none is expected, since each new task runs before its old one is stopped.';
  if (replicas !== null && Parallelism > 0 && replicas > Parallelism)
    return `none is expected, since other tasks of ${Name} run while some are replaced.`;
  return `from the stop of the old tasks of ${Name} until the new ones run, usually a few seconds (update_config order: stop-first).`;
}

function dataRisk({ name, dataPaths }: Container): string[] {
  if (dataPaths.length === 0) return [];
  return [
    `${name} has writable mounts (${dataPaths.join(', ')}), and they are not backed up: the new version may change them, and a rollback restores the old image, not the old data.`,
  ];
}

/** Swarm does not know the stack file, so it cannot be written. */
function followUpOf({ name, project, service, reference }: Container, target: string): string | null {
  if (tryParseImageReference(reference)?.tag === tryParseImageReference(target)?.tag) return null;
  if (project === null)
    return `After the update, write ${target} in place of ${reference} wherever you create the service ${name} from.`;
  return `After the update, write "image: ${target}" in place of "image: ${reference}" for the service ${service} in the file of the stack ${project}. Until then, "docker stack deploy" of the old file goes back to ${reference}.`;
}
