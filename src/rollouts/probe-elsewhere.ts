import type { Container } from '../domain/container';
import { PilotError } from '../domain/errors';
import type { PublishedPort, TaskInspect } from '../domain/services/swarm-inspect';
import { nodeOf } from '../domain/services/tasks';
import type { Progress } from '../lib/logger';
import { askAddress } from '../probes/ask-http';
import type { Seen, ServiceRun } from './rollout-run';

const POLL_MS = 500;

/**
 * Probes a task of another node over a port that is published there. Resolves with what was seen, or with why it could not be
 * probed: a command runs in containers of this node only. Rejects with `unhealthy`.
 */
export async function probeElsewhere(
  run: ServiceRun,
  { labels: { probe, probeTimeoutMs } }: Container,
  seen: Seen,
  task: TaskInspect,
  progress: Progress,
): Promise<string> {
  const { clock } = run;
  const node = nodeOf(task, seen.nodes);
  if (probe.kind === 'docker') return '';
  if (probe.kind !== 'http' && probe.kind !== 'tcp')
    return `not probed on ${node}: the ${probe.kind} probe runs on the node of diun-pilot only`;
  const port = publishedOf(seen, task, probe.port);
  const host = await addressOf(run, task);
  if (port === null || host === null) return `not probed on ${node}: port ${probe.port} is not published there`;
  const until = clock.now().getTime() + probeTimeoutMs;
  for (;;) {
    const { healthy, detail } = await askAddress(probe, host, port);
    if (healthy) return `${detail} on ${node}`;
    progress(`${node}: ${detail}`);
    if (clock.now().getTime() >= until)
      throw new PilotError('unhealthy', `${seen.service.Spec.Name} on ${node}: ${detail}.`);
    await clock.sleep(POLL_MS);
  }
}

/** A port of the task itself (mode host), else one that every node passes on (ingress). */
function publishedOf({ service }: Seen, { Status }: TaskInspect, target: number): number | null {
  const ports = [...(Status.PortStatus?.Ports ?? []), ...(service.Endpoint?.Ports ?? [])];
  const fits = ({ Protocol = 'tcp', TargetPort }: PublishedPort): boolean =>
    Protocol === 'tcp' && TargetPort === target;
  return ports.find(fits)?.PublishedPort ?? null;
}

async function addressOf({ swarm }: ServiceRun, { NodeID }: TaskInspect): Promise<string | null> {
  const node = (await swarm.nodes()).find(({ ID }) => ID === NodeID);
  return node?.Status.Addr || null;
}
