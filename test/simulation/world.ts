import type { Behaviour, ContainerSpec } from '../support/fake-engine-types';

/** One service of the world: one container, one reference of its own. */
export interface Service {
  spec: ContainerSpec;
  hasHealthcheck: boolean;
  /** It lives in the network of a container that owns the ports, and is handed over. */
  handover: boolean;
  /** The PostgreSQL server of its project, or an app that depends on it and migrates it; left out: neither. */
  role?: 'database' | 'app';
  /** What ran before is found broken by its probe. */
  failsFirst?: boolean;
}

/** What a published image is like. `lastsMs`: of one that fails after a while. `migrates`: at its start, the database to a newer schema. `failsProbe`: whatever its HEALTHCHECK says. */
export interface Make {
  health: Behaviour;
  lastsMs?: number;
  migrates?: boolean;
  failsProbe?: boolean;
}

const GOOD: readonly Behaviour[] = ['healthy', 'slow'];
/** Good at first, so that they may be found healthy. */
export const LATE: readonly Behaviour[] = ['dies', 'fades'];

export const staysUp = (health: Behaviour = 'healthy'): boolean => GOOD.includes(health);

export const isGoodMake = ({ health, failsProbe = false }: Make): boolean => staysUp(health) && !failsProbe;

/** What an actor other than diun-pilot does to a service: to its container, to those that are kept or renamed, to all as Compose does. */
export type Act =
  | 'up'
  | 'rm'
  | 'rm-all'
  | 'stop'
  | 'start'
  | 'tag'
  | 'restart'
  | 'prune'
  | 'pause'
  | 'unpause'
  | 'start-aside'
  | 'compose-stop'
  | 'compose-start'
  | 'compose-restart';
export type EngineEnd = 'SIGTERM' | 'SIGKILL' | 'host';

/** The operator answers the first mail about a failed soak; `data` that is not offered is refused. */
export interface SoakAnswer {
  kind: 'soak';
  decision: 'approve' | 'decline';
  data: 'first' | 'current' | 'backup';
}

/** What the operator does, at any time. */
export type OperatorAct = Extract<Quiet, { kind: 'decide' | 'request' | 'soak' | 'backup' | 'restore' }>;

/** What happens at a quiet moment; everything is then worked until it is quiet again. */
export type Quiet =
  | ({ kind: 'publish'; service: number; webhooks: number } & Make)
  | { kind: 'decide'; decision: 'approve' | 'window' | 'decline' }
  | SoakAnswer
  | { kind: 'request'; service: number; tag?: string }
  | { kind: 'backup' }
  | { kind: 'restore'; by: 'command' | 'link' }
  | { kind: 'outsider'; service: number; act: Act }
  | { kind: 'engine'; end: EngineEnd }
  | { kind: 'process' }
  | { kind: 'clock'; ms: number }
  | { kind: 'registry'; away: boolean }
  | { kind: 'storage'; fails: boolean }
  | { kind: 'reconcile' };

/** What happens at the nth engine call from its place in the schedule on, while diun-pilot works. */
export type Mid = { kind: 'mid'; call: number; when: 'before' | 'after' } & (
  | { fault: 'crash' }
  | { fault: 'engine'; end: EngineEnd }
  | { fault: 'refused' }
  | { fault: 'outsider'; service: number; act: Act }
  | ({ fault: 'publish'; service: number } & Make)
  | { fault: 'operator'; act: OperatorAct }
);

export type SimulatedEvent = Quiet | Mid;

export interface World {
  services: Service[];
  events: SimulatedEvent[];
}

/** As a report prints it. */
export function describe(event: Quiet | Mid, { services }: World): string {
  const { kind, ...rest } = event;
  const words = Object.entries(rest).map(([key, value]) =>
    key === 'service'
      ? (services[value as number]?.spec.name ?? '')
      : `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  return [kind, ...words].join(' ');
}
