import type { ContainerInspect } from './engine-inspect';

/** It runs, and nothing says that it is ill: what a container must be again after it was stopped. */
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
