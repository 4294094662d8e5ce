import { membersOf, placeOf } from '../domain/backups/backup-place';
import type { Container } from '../domain/container';
import { isNameless } from '../domain/decision/candidates';
import { tryParseImageReference } from '../domain/images/image-reference';
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

/** The guards of domain/decision, in the same order, said of every update instead of one. */
function treatmentText(container: Container): string {
  const { labels, self, autoRemove, database, engineDoor, swarmService, swarm } = container;
  if (!labels.watched) return 'left alone: not watched';
  if (self) return 'never: this is diun-pilot itself';
  if (engineDoor) return 'never: diun-pilot reaches Docker through it (DOCKER_HOST)';
  if (swarmService !== null) return `never: it is a task of the Swarm service ${swarmService}`;
  if (labels.policy === 'ignore') return 'left alone: update.policy=ignore';
  if (swarm?.refusal) return `refused: ${swarm.refusal}`;
  if (autoRemove) return 'never: it deletes itself when it stops (--rm), so nothing could be rolled back';
  if (isPinned(container)) return 'never: it was not created from a tag that could move';
  if (labels.policy === 'manual') return 'every update waits for approval';
  if (database && !labels.allowDatabase) return 'every update waits for approval: a database';
  const larger = labels.allow === 'major' ? '' : '; a larger one waits for approval';
  const how = labels.strategy === 'handover' ? ', by handover' : '';
  const { askOn = [] } = labels;
  const asks = askOn.length === 0 ? '' : `; waits for approval if its release notes speak of ${askOn.join(' or ')}`;
  return `up to ${labels.allow} at once${how}${larger}${asks}`;
}

function isPinned(container: Container): boolean {
  const own = tryParseImageReference(container.reference);
  return isNameless(container) || own === null || own.tag === null || own.digest !== null;
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
