import { plural } from '../format';
import type { ContainerLabels } from '../labels/container-labels';
import {
  replicasOf,
  rolloutOf,
  type NodeInspect,
  type ServiceInspect,
  type ServiceSpec,
  type TaskInspect,
} from './swarm-inspect';
import { taskText, nodesById } from './tasks';

/** Where the data of a service can be read now: in the container of its one task on this node; else why not, as sentences with the remedy. */
export type PlaceOfData = { containerId: string } | { why: string };

/** What is known of the Swarm at one moment; `nodeId`: this engine. */
export interface Around {
  tasks: readonly TaskInspect[];
  nodes: readonly NodeInspect[];
  nodeId: string;
}

/** Pure. Only one task that can run nowhere else has its data in one place, and on this node it can be read. */
export function placeOfData(
  service: ServiceInspect,
  labels: Pick<ContainerLabels, 'backup'>,
  around: Around,
): PlaceOfData {
  const { Spec } = service;
  const why = notOneReplica(Spec) ?? outsideOfVolumes(Spec, labels) ?? elsewhere(service, around);
  return why === null ? runningHere(service, around) : { why };
}

/**
 * Why two tasks of diun-pilot's own service could run at once, as a sentence with the remedy; null: they cannot. Its lock is on its data
 * directory, which another node does not have: a node that Swarm has lost may run its task for as long as it likes.
 */
export function whyTwice(service: ServiceInspect, around: Around): string | null {
  const { Name, Mode, UpdateConfig } = service.Spec;
  const start = `${Name} runs diun-pilot, and two instances must not act at once, so no service is updated`;
  if (Mode.Replicated === undefined || replicasOf(service.Spec) > 1)
    return `${start}: it must be replicated, with one replica (docker service scale ${Name}=1).`;
  if (rolloutOf(UpdateConfig).Order === 'start-first')
    return `${start}: its update_config has the order start-first. Use stop-first.`;
  const others = possibleNodes(service, around).filter(({ ID }) => ID !== around.nodeId);
  if (others.length === 0) return null;
  return `${start}: Swarm may also start it on ${listOf(others)}, next to a task on a node that it has lost. Add a placement constraint that only one node fulfils (docs/swarm.md).`;
}

function notOneReplica(spec: ServiceSpec): string | null {
  const { Name, Mode } = spec;
  const one = `Only a data service with exactly one replica is backed up`;
  if (Mode.Replicated === undefined) return `${Name} is not a replicated service. ${one}.`;
  const replicas = replicasOf(spec);
  if (replicas === 1) return null;
  const remedy = `docker service scale ${Name}=1`;
  return replicas === 0
    ? `${Name} has no task (it is scaled to 0), so its data cannot be read. Scale it first: ${remedy}.`
    : `${Name} has ${plural(replicas, 'replica')}. ${one}: ${remedy}, or give each replica a service of its own.`;
}

/** Of such a path each new task would start with nothing. */
function outsideOfVolumes(
  { Name, TaskTemplate }: ServiceSpec,
  { backup }: Pick<ContainerLabels, 'backup'>,
): string | null {
  if (backup?.kind !== 'files') return null;
  const lasting = (TaskTemplate.ContainerSpec?.Mounts ?? []).filter(({ Type, Source }) => Type !== 'tmpfs' && !!Source);
  const lost = backup.paths.filter(
    (path) => !lasting.some(({ Target }) => isAtOrBelow(path, Target) || isAtOrBelow(Target, path)),
  );
  if (lost.length === 0) return null;
  return `${lost.join(', ')} of ${Name} is in no named volume and in no folder of the host, so each new task starts without it. Mount a volume there, or correct backup.paths.`;
}

function isAtOrBelow(path: string, folder: string): boolean {
  const [inner, outer] = [path, folder].map((each) =>
    `/${each.split('/').filter(Boolean).join('/')}/`.replace('//', '/'),
  );
  return (inner as string).startsWith(outer as string);
}

/** A volume is of one node: on another one, a task of the same service finds an empty one. */
function elsewhere(service: ServiceInspect, around: Around): string | null {
  const { Name } = service.Spec;
  const { nodes, nodeId } = around;
  const possible = possibleNodes(service, around);
  const others = possible.filter(({ ID }) => ID !== nodeId);
  if (others.length === 0) return null;
  const own = hostnameOf(nodes, nodeId);
  if (possible.length === others.length)
    return `The data of ${Name} is on the node ${listOf(others)}, and diun-pilot reads only that of its own node (${own}). Run diun-pilot on that node, or back the data up yourself and remove backup.kind from ${Name}.`;
  return `Swarm may also start ${Name} on ${listOf(others)}, where it has other volumes: an update could leave its data behind. Add a placement constraint that only one node fulfils, such as node.hostname==${own}.`;
}

function possibleNodes({ Spec: { TaskTemplate } }: ServiceInspect, { nodes }: Pick<Around, 'nodes'>): NodeInspect[] {
  return nodes.filter((node) => mayRunOn(node, TaskTemplate.Placement?.Constraints ?? []));
}

function runningHere(service: ServiceInspect, { tasks, nodes, nodeId }: Around): PlaceOfData {
  const { Name } = service.Spec;
  const wanted = tasks.filter(({ DesiredState }) => DesiredState === 'running');
  const [running] = wanted.filter(({ Status }) => Status.State === 'running');
  const containerId = running?.NodeID === nodeId ? running.Status.ContainerStatus?.ContainerID : undefined;
  if (containerId) return { containerId };
  if (running !== undefined && running.NodeID !== nodeId)
    return {
      why: `The data of ${Name} is on the node ${hostnameOf(nodes, running.NodeID ?? '')}, and diun-pilot reads only that of its own node (${hostnameOf(nodes, nodeId)}).`,
    };
  const state = wanted[0] === undefined ? '' : ` (${taskText(service, wanted[0], nodesById(nodes))})`;
  return {
    why: `No task of ${Name} runs now${state}, so its data cannot be read. Look at it: docker service ps --no-trunc ${Name}`,
  };
}

function hostnameOf(nodes: readonly NodeInspect[], id: string): string {
  return nodesById(nodes).get(id)?.name ?? id;
}

function listOf(nodes: readonly NodeInspect[]): string {
  return nodes.map(({ Description }) => Description.Hostname).join(', ');
}

/** As swarmkit matches them (manager/constraint). What is not known here excludes no node. */
function mayRunOn(node: NodeInspect, constraints: readonly string[]): boolean {
  return constraints.every((constraint) => {
    const [, key = '', operator, wanted = ''] = /^\s*([^=!\s]+)\s*(==|!=)\s*(.*?)\s*$/.exec(constraint) ?? [];
    const value = valueOf(node, key);
    if (operator === undefined || value === undefined) return true;
    return (value.toLowerCase() === wanted.toLowerCase()) === (operator === '==');
  });
}

function valueOf({ ID, Description, Spec }: NodeInspect, key: string): string | undefined {
  const { Hostname, Platform, Engine } = Description;
  const [, of, label = ''] = /^(node|engine)\.labels\.(.+)$/.exec(key) ?? [];
  if (of !== undefined) return (of === 'node' ? Spec.Labels : Engine?.Labels)?.[label] ?? '';
  const known: Record<string, string | undefined> = {
    'node.id': ID,
    'node.hostname': Hostname,
    'node.role': Spec.Role,
    'node.platform.os': Platform?.OS,
  };
  return known[key];
}
