import { membersOf, placeOf } from '../domain/backups/backup';
import { type Container, isBuiltHere } from '../domain/container';
import { passGuards } from '../domain/decision/guards';
import type { LabelProblem, ProbeSpec } from '../domain/labels/container-labels';

/** How one container would be treated, for `check`: the same for people and machines. */
export interface Treatment {
  container: string;
  image: string;
  policy: string;
  allow: string;
  probe: string;
  /** What is backed up before its update: the set of its project. */
  backup: string;
  /** As text: the result of an update. */
  treatment: string;
  problems: LabelProblem[];
}

export function treatmentOf(container: Container, all: readonly Container[]): Treatment {
  const { labels } = container;
  const set = membersOf(placeOf(container), all).map(({ name }) => name);
  return {
    container: container.name,
    image: container.reference,
    policy: labels.policy,
    allow: labels.allow,
    probe: probeText(labels.probe),
    backup: set.length === 0 ? 'none' : set.join(', '),
    treatment: treatmentText(container),
    problems: labels.problems,
  };
}

function treatmentText(container: Container): string {
  const { guard } = passGuards(container);
  if (guard !== null) return guard.always;
  const { labels, database } = container;
  if (labels.policy === 'manual') return 'every update waits for approval';
  if (isBuiltHere(container)) return 'every update waits for approval: its image was built or loaded on this host';
  if (database && !labels.allowDatabase) return 'every update waits for approval: a database';
  const larger = labels.allow === 'major' ? '' : '; a larger one waits for approval';
  const how = labels.strategy === 'handover' ? ', by handover' : '';
  const { askOn = [] } = labels;
  const asks = askOn.length === 0 ? '' : `; waits for approval if its release notes mention ${askOn.join(' or ')}`;
  return `up to ${labels.allow} at once${how}${larger}${asks}`;
}

function probeText(probe: ProbeSpec): string {
  switch (probe.kind) {
    case 'docker':
    case 'nginx':
    case 'postgres':
    case 'gitea':
      return probe.kind;
    case 'http':
      return `http :${probe.port}${probe.path}`;
    case 'tcp':
      return `tcp :${probe.port}`;
    case 'exec':
      return `exec ${probe.command.join(' ')}`;
  }
}
