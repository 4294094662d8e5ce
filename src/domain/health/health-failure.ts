import type { ContainerInspect } from '../engine-inspect';
import { type Failure, firstLineOf } from '../errors';

/** How a container fails its own question of health at one moment. */
export interface HealthFailure {
  /** `container`: by Docker's own state. `probe`: that has nothing against it, so the label `update.probe` may be what is wrong. */
  of: 'container' | 'probe';
  /** What was seen, as text. */
  detail: string;
}

/** In the same way, so that its health says nothing of the update. */
export function failsAsBefore(before: HealthFailure, now: HealthFailure | null): boolean {
  return now?.of === before.of;
}

/** Running and not reported as unhealthy: the state that a container must reach again after it was stopped. */
export function isWell({ State }: Pick<ContainerInspect, 'State'>): boolean {
  return State.Running && State.Health?.Status !== 'unhealthy';
}

/** A container that was stopped on purpose, and is to be started again. */
export interface Stopped {
  id: string;
  name: string;
  /** Whether it was well before, so that it must be again. */
  well: boolean;
}

/** A container that is known to write to a set, once those that ran were stopped. */
export interface Writer {
  id: string;
  name: string;
  /** `State.StartedAt` by then: another one means that it has run since. */
  startedAt: string;
}

/** runc's words for a program that the image should have brought; a mount or a device that fails says something else. */
const IMAGE_CANNOT_START =
  /unable to start container process: (?:error during container init: )?exec|starting container process caused: exec|executable file not found|exec format error|no command specified/i;
/** What makes any image unhealthy. */
const NOT_OF_THE_IMAGE = /no space left on device|disk quota exceeded/i;
/** The error `unhealthy` of a container that another process removed during its health check. */
export const CONTAINER_IS_GONE = 'The container is gone: it was removed externally.';
/** The same of one that another process stopped and did not start again. */
export const CONTAINER_WAS_STOPPED = 'The container was stopped externally during its health check.';
/** The same of one that another process paused and did not resume. */
export const CONTAINER_WAS_PAUSED = 'The container was paused externally during its health check.';
const DONE_EXTERNALLY = [CONTAINER_IS_GONE, CONTAINER_WAS_STOPPED, CONTAINER_WAS_PAUSED];

/** Whether the error `unhealthy` says what another process did to the container: nothing of its image, nor of its data. */
export function wasDoneExternally({ message }: Pick<Failure, 'message'>): boolean {
  const sentence = firstLineOf(message);
  return DONE_EXTERNALLY.some((words) => sentence.includes(words));
}

/**
 * The one place that decides whether a failure counts against the digest: only what the image itself did. Never counted:
 * a refused re-creation, a configuration that the old container refuses too, ports, networks, `volumes_from`, a full
 * disk, the engine, the registry, another container.
 */
export function isFaultOfImage({ code, message }: Failure): boolean {
  if (code === 'unhealthy') return !NOT_OF_THE_IMAGE.test(message) && !wasDoneExternally({ message });
  if (code === 'recreate_failed') return IMAGE_CANNOT_START.test(message);
  return code === 'preflight_failed' || code === 'data_changed' || code === 'signature_invalid';
}
