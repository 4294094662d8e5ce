import { applicationOf } from '../application';
import type { Container } from '../container';
import { dataPathsOf } from '../data/data-paths';
import { probeTimeoutFor } from '../health/healthcheck-time';
import { splitReference } from '../images/image-reference';
import type { ContainerLabels, LabelProblem } from '../labels/container-labels';
import { readLabels } from '../labels/read-labels';
import { downtimeText, rolloutText } from './plan-rollout';
import {
  replicasOf,
  type ServiceContainer,
  type ServiceInspect,
  type ServiceMode,
  type ServiceSpec,
} from './swarm-inspect';
import type { ImageAt } from '../update';

const STACK = 'com.docker.stack.namespace';
/** The image as the stack file names it: a digest in it was written by the operator, not added by Swarm. */
const STACK_IMAGE = 'com.docker.stack.image';

/** Labels that mean something for a container only, with what decides instead. */
const NO_EFFECT: Record<string, string> = {
  'update.strategy': 'its update_config decides (order: start-first is a handover)',
  'update.rehearse': 'rehearsals are for containers',
  'update.keep-images': 'the nodes keep their images',
  'update.soak': 'its update_config decides (monitor)',
};

/**
 * A Swarm service as policy sees it: decided on like a container, by its own labels (`deploy.labels`). Null: it has no image, as
 * a service of a plugin. `self`: diun-pilot runs in it; `door`: it reaches the engine through it.
 */
export function toTarget({ ID, Spec }: ServiceInspect, is: { self: boolean; door: boolean }): Container | null {
  const container = Spec.TaskTemplate.ContainerSpec;
  if (container === undefined) return null;
  const own = Spec.Labels ?? {};
  const project = own[STACK] || null;
  const labels = labelsOf(own, Spec, container);
  const stackFile = stackFileOf(own);
  const { reference, digest } = imageOfService(container.Image, own[STACK_IMAGE]);
  const { name: repository } = splitReference(container.Image);
  const application = applicationOf({ labels, references: [reference], env: container.Env ?? [] });
  const database = application === 'postgres' || application === 'database';
  return {
    id: ID,
    name: Spec.Name,
    reference,
    imageId: '',
    repoDigests: digest === null ? [] : [`${repository}@${digest}`],
    project,
    service: project !== null && Spec.Name.startsWith(`${project}_`) ? Spec.Name.slice(project.length + 1) : Spec.Name,
    ...{ composeRun: false, dependsOn: [], restartsWith: [], composeFiles: null },
    labels,
    mounts: (container.Mounts ?? []).map(mountClause),
    dataPaths: dataPathsOf((container.Mounts ?? []).map(asMounted)),
    healthcheck: (container.Healthcheck?.Test?.[0] ?? 'NONE') !== 'NONE',
    ...{ application, database },
    ...{ running: true, status: 'running' as const, swarmService: null, autoRemove: false, pilot: null },
    nginx: false,
    self: is.self,
    engineDoor: is.door,
    swarm: {
      refusal: whyWrongMode(Spec),
      rollout: rolloutText(Spec),
      downtime: downtimeText(Spec),
      neverWrites: own['backup.quiesce']?.trim() === 'never',
      ...(stackFile !== null && 'path' in stackFile ? { stackFile: stackFile.path } : {}),
    },
  };
}

/** The tag as the operator gave it, and the digest that Swarm has added. One that the operator gave stays in the reference. */
export function imageOfService(image: string, inStackFile?: string): ImageAt {
  const { name, tag, digest } = splitReference(image);
  if (inStackFile?.includes('@') || (tag === null && digest !== null)) return { reference: image, digest };
  return { reference: tag === null ? name : `${name}:${tag}`, digest };
}

function labelsOf(
  own: Record<string, string>,
  { Mode }: ServiceSpec,
  { Healthcheck }: ServiceContainer,
): ContainerLabels {
  const labels = readLabels(own);
  const scales = labels.quiesce === 'allowed' && Mode.Replicated !== undefined;
  const withoutEffect = { ...NO_EFFECT, ...whyNotScaled(labels, Mode), ...whyNotWritten(own) };
  const problems: LabelProblem[] = Object.entries(withoutEffect).flatMap(([label, why]) => {
    const value = own[label];
    return value === undefined ? [] : [{ label, value, message: `has no effect on a Swarm service: ${why}.` }];
  });
  const probeTimeoutMs = probeTimeoutFor(labels, Healthcheck);
  const fixed = { strategy: 'recreate', rehearse: 'off' } as const;
  // Scaling a service to 0 is for its operator to allow.
  const quiesce = scales ? 'allowed' : 'never';
  return { ...labels, ...fixed, quiesce, probeTimeoutMs, problems: [...labels.problems, ...problems] };
}

/** `never` is the default, and says nothing that is not so. */
function whyNotScaled({ quiesce }: ContainerLabels, { Replicated }: ServiceMode): Record<string, string> {
  if (quiesce === 'auto') return { 'backup.quiesce': 'only the value allowed lets it be scaled to 0 for a backup' };
  if (quiesce !== 'allowed' || Replicated !== undefined) return {};
  return { 'backup.quiesce': 'only a replicated one can be scaled to 0 for a backup' };
}

/** `update.stack-file`, as the operator wrote it; null: not given. */
function stackFileOf(own: Record<string, string>): { path: string } | { why: string } | null {
  const path = own['update.stack-file']?.trim();
  if (path === undefined) return null;
  if (!own[STACK]) return { why: 'it is of no stack' };
  return /^\/[^\0]*[^/\0]$/.test(path) ? { path } : { why: 'it must be an absolute path of a file' };
}

function whyNotWritten(own: Record<string, string>): Record<string, string> {
  const file = stackFileOf(own);
  return file !== null && 'why' in file ? { 'update.stack-file': file.why } : {};
}

function mountClause({ Type = 'volume', Source = '(anonymous)', Target, ReadOnly }: Mount): string {
  return `${Type} ${Source} at ${Target}${ReadOnly === true ? ', read-only' : ''}`;
}

function asMounted({ Type = 'volume', Target, ReadOnly }: Mount): Parameters<typeof dataPathsOf>[0][number] {
  return { Type, Destination: Target, RW: ReadOnly !== true };
}

type Mount = NonNullable<ServiceContainer['Mounts']>[number];

/** Why no update of a service can be made whatever data it has, as sentences with the remedy; null: it can. */
function whyWrongMode(spec: ServiceSpec): string | null {
  const { Name, Mode } = spec;
  if (Mode.ReplicatedJob !== undefined || Mode.GlobalJob !== undefined)
    return `${Name} is a job: its tasks end on their own, so no update of it could be verified.`;
  if (replicasOf(spec) > 0) return null;
  return `${Name} has no task (it is scaled to 0), so no update of it could be verified. Scale it first: docker service scale ${Name}=1.`;
}

/**
 * Why the data of a service, or of its set, cannot be protected, so that no update can be made; null: it can be, or there is none.
 * `members`: those of its set. Another database without backup.kind may be a cache: as with containers, it waits for approval.
 */
export function whyUnprotected(service: Container, members: readonly Container[]): string | null {
  const { name, labels, application, project, swarm } = service;
  const unread =
    labels.backup === null && labels.problems.some(({ label }) => label === 'backup.kind' || label === 'backup.paths');
  if (unread)
    return `${name} has data by its label backup.kind, which cannot be read: correct it. No backup, no update.`;
  for (const member of members) {
    const data = member.swarm?.data;
    if (data === undefined || !('why' in data)) continue;
    const whose =
      member.name === name
        ? ''
        : `${name} is in the stack ${project ?? ''} with ${member.name}, whose data cannot be backed up. `;
    return `${whose}${data.why} No backup, no update.`;
  }
  if (labels.backup !== null || application !== 'postgres' || swarm?.data === undefined || !('why' in swarm.data))
    return null;
  return `${name} is a PostgreSQL server, and the major version of its data cannot be compared with that of a new image. ${swarm.data.why}`;
}
