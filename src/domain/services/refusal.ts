import type { Application } from '../application';
import type { ContainerLabels } from '../labels/container-labels';
import type { ServiceInspect, ServiceMode, ServiceSpec } from './swarm-inspect';

interface Asked {
  Spec: ServiceSpec;
  labels: Pick<ContainerLabels, 'backup'>;
  application: Application;
  /** Its stack. */
  project: string | null;
}

/** Why no update of a service can be made as it is, as sentences with the remedy; null: it can. `all`: every service. */
export function whyRefused(asked: Asked, all: readonly ServiceInspect[]): string | null {
  return wrongMode(asked.Spec) ?? holdsData(asked) ?? stackHoldsData(asked, all);
}

function wrongMode({ Name, Mode }: ServiceSpec): string | null {
  if (isJob(Mode)) return `${Name} is a job: its tasks end on their own, so no update of it could be checked.`;
  if (Mode.Replicated === undefined || (Mode.Replicated.Replicas ?? 1) > 0) return null;
  return `${Name} has no task (it is scaled to 0), so no update of it could be checked. Scale it first: docker service scale ${Name}=1.`;
}

function isJob(mode: ServiceMode): boolean {
  return mode.ReplicatedJob !== undefined || mode.GlobalJob !== undefined;
}

const BY_HAND = 'Back it up and update it by hand: docker service update --image IMAGE';

/** Another database without backup.kind may be a cache: an update of it waits for approval, as that of a container does. */
function holdsData({ Spec: { Name }, labels, application }: Asked): string | null {
  if (labels.backup === null && application !== 'postgres') return null;
  const why = labels.backup === null ? 'is a PostgreSQL server' : `holds data (backup.kind=${labels.backup.kind})`;
  return `${Name} ${why}, and diun-pilot does not back up the data of Swarm services: no backup, no update. ${BY_HAND} ${Name}.`;
}

/** A backup of the whole set precedes an update, since a service may change the data of another one of its stack. */
function stackHoldsData({ Spec: { Name }, project }: Asked, all: readonly ServiceInspect[]): string | null {
  if (project === null) return null;
  const other = all.find(
    ({ Spec: { Labels } }) => Labels?.['com.docker.stack.namespace'] === project && Labels['backup.kind'] !== undefined,
  );
  if (other === undefined) return null;
  return `${Name} is in the stack ${project}, whose service ${other.Spec.Name} has backup.kind, and diun-pilot does not back up the data of Swarm services: no backup, no update. ${BY_HAND} ${Name}, or remove backup.kind from ${other.Spec.Name}.`;
}
