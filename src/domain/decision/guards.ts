import type { Container } from '../container';
import { type ImageReference, repositoryOf, tryParseImageReference } from '../images/image-reference';
import { isNameless } from './candidates';

/** Why a container is never updated, whatever the target. */
export type GuardCode =
  | 'not_watched'
  | 'self'
  | 'engine_door'
  | 'swarm_task'
  | 'policy_ignore'
  | 'service_refused'
  | 'auto_remove'
  | 'digest_reference';

export interface Guard {
  code: GuardCode;
  /** Of one update, as sentences with the remedy. */
  reason: string;
  /** Of every update, as a clause: for the table of `check`. */
  always: string;
}

/** The reference that a container was created from, whose tag can move. */
export type OwnReference = ImageReference & { tag: string };

/** The first guard that stops every update of a container; where none does, its own reference. */
export function passGuards(container: Container): { guard: Guard } | { guard: null; own: OwnReference } {
  const guard = guardOf(container);
  if (guard !== null) return { guard };
  const own = tryParseImageReference(container.reference);
  if (own === null || own.tag === null || own.digest !== null || isNameless(container))
    return { guard: pinned(container, own) };
  return { guard: null, own: { ...own, tag: own.tag } };
}

/** Why no update of a container could be checked now, with the remedy, as sentences without the last full stop; null: it runs. */
export function whyNotRunning({
  name,
  running,
  status,
}: Pick<Container, 'name' | 'running' | 'status'>): string | null {
  if (running && status !== 'paused') return null;
  const remedy =
    status === 'paused' ? `Resume it first: docker unpause ${name}` : `Start it first: docker start ${name}`;
  return `${name} does not run (${status}), so no update of it could be verified. ${remedy}`;
}

function guardOf(container: Container): Guard | null {
  const { name, labels, self, autoRemove, composeRun, engineDoor, swarmService, swarm } = container;
  if (composeRun)
    return {
      code: 'not_watched',
      reason: `${name} was created by docker compose run: a start would repeat its command, so it is never updated. Name the container of its service.`,
      always: 'left alone: created by docker compose run',
    };
  if (!labels.watched)
    return {
      code: 'not_watched',
      reason: `${name} is not watched: label it with diun.enable=true.`,
      always: 'left alone: not watched',
    };
  if (self)
    return {
      code: 'self',
      reason: `${name} is diun-pilot itself. Update it manually: ${byHand(container)}.`,
      always: 'never: this is diun-pilot itself',
    };
  if (engineDoor)
    return {
      code: 'engine_door',
      reason: `diun-pilot reaches Docker through ${name} (DOCKER_HOST): if it stops, no update can be finished. Update it manually: ${byHand(container)}.`,
      always: 'never: diun-pilot reaches Docker through it (DOCKER_HOST)',
    };
  if (swarmService !== null)
    return {
      code: 'swarm_task',
      reason: `${name} is a task of the Swarm service ${swarmService}, which re-creates its tasks on its own. To have the service updated, label the service itself (deploy.labels), not its containers.`,
      always: `never: it is a task of the Swarm service ${swarmService}`,
    };
  if (labels.policy === 'ignore')
    return {
      code: 'policy_ignore',
      reason: `${name} has the label update.policy=ignore. Change it if it should be updated.`,
      always: 'left alone: update.policy=ignore',
    };
  if (swarm?.refusal) return { code: 'service_refused', reason: swarm.refusal, always: `refused: ${swarm.refusal}` };
  if (!autoRemove) return null;
  const remedy = 'Start it without --rm (auto_remove) and with a restart policy.';
  return {
    code: 'auto_remove',
    reason: `${name} deletes itself when it stops, so nothing could be rolled back. ${remedy}`,
    always: 'never: it deletes itself when it stops (--rm), so nothing could be rolled back',
  };
}

function byHand({ name, swarm }: Container): string {
  return swarm === undefined
    ? 'docker compose pull, then docker compose up -d'
    : `docker service update --image IMAGE ${name}`;
}

function pinned({ name, reference }: Container, own: ImageReference | null): Guard {
  const example = own?.digest ? `${repositoryOf(own)}:${own.tag ?? 'TAG'}` : 'NAME:TAG';
  const why = `${name} was created from ${reference}. No tag can move that reference, and Diun skips it.`;
  return {
    code: 'digest_reference',
    reason: `${why} Create ${name} from a tag, such as ${example}.`,
    always: 'never: it was not created from a tag that could move',
  };
}
