import type { ContainerInspect } from '../engine-inspect';

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
