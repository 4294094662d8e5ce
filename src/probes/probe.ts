import type { ContainerInspect } from '../domain/engine-inspect';
import type { Engine } from '../ports/engine';

/** What a probe is given: the engine and the container as just inspected (its addresses are those of this start). */
export interface ProbeTarget {
  engine: Engine;
  container: ContainerInspect;
  /** Every address at which this process may reach the container, most likely first. */
  addresses: string[];
}

/** One question about a container's health, on top of Docker's own state. */
export interface Probe {
  /** The question as text: `GET http://:3000/api/healthz`. */
  readonly question: string;
  /** Asks once. "Not healthy" is an answer; only a missing engine rejects. Bounded to a few seconds. */
  ask(): Promise<Answer>;
}

export interface Answer {
  healthy: boolean;
  /** The observation, as text for the update's step and the mail. */
  detail: string;
  /** It does not recover: waiting does not help. */
  final?: true;
}

export const healthy = (detail: string): Answer => ({ healthy: true, detail });
export const notYet = (detail: string): Answer => ({ healthy: false, detail });
export const beyondWaiting = (detail: string): Answer => ({ healthy: false, detail, final: true });
