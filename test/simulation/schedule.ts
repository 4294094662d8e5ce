import type { Behaviour, ContainerSpec } from '../support/fake-engine-types';
import { randomOf, type Random } from './random';

/** One service of the world: one container, one reference of its own. */
export interface Service {
  spec: ContainerSpec;
  hasHealthcheck: boolean;
  /** It lives in the network of a container that owns the ports, and is handed over. */
  handover: boolean;
}

/** What an actor other than diun-pilot does to a service. */
export type Act = 'up' | 'rm' | 'rm-all' | 'stop' | 'start' | 'tag' | 'restart' | 'prune';
export type EngineEnd = 'SIGTERM' | 'SIGKILL' | 'host';

/** What happens at a quiet moment; everything is then worked until it is quiet again. */
export type Quiet =
  | { kind: 'publish'; service: number; health: Behaviour; webhooks: number }
  | { kind: 'decide'; decision: 'approve' | 'decline' }
  | { kind: 'request'; service: number }
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
  | { fault: 'publish'; service: number; health: Behaviour }
);

export type SimulatedEvent = Quiet | Mid;

export interface World {
  services: Service[];
  events: SimulatedEvent[];
}

const MINUTE = 60_000;
const RESTARTS = ['no', 'always', 'unless-stopped', 'on-failure'] as const;
const ACTS: readonly Act[] = ['up', 'up', 'rm', 'rm-all', 'stop', 'start', 'tag', 'restart', 'prune'];
const JUMPS = [MINUTE, 10 * MINUTE, 60 * MINUTE, 26 * 60 * MINUTE, 80 * 60 * MINUTE, -60 * MINUTE];

/** The world of a seed, with all that will happen in it. */
export function worldOf(seed: number): World {
  const random = randomOf(seed);
  const services = Array.from({ length: 1 + random.int(3) }, (_, index) => serviceOf(random, index));
  const events: SimulatedEvent[] = [];
  for (let left = 3 + random.int(8); left > 0; left--) {
    while (random.chance(0.4)) events.push(midOf(random, services));
    events.push(quietOf(random, services));
  }
  return { services, events };
}

function serviceOf(random: Random, index: number): Service {
  const project = random.pick(['web', 'shop']);
  const name = `${project}-app${index}-1`;
  const handover = random.chance(0.2);
  const data = !handover && random.chance(0.7);
  const backedUp = data && random.chance(0.5);
  return {
    hasHealthcheck: random.chance(0.6),
    handover,
    spec: {
      name,
      image: `app${index}:1`,
      restart: random.pick(RESTARTS),
      ...(data ? { volumes: { [`data${index}`]: '/data' } } : {}),
      ...(!handover && random.chance(0.3) ? { ports: { [8080 + index]: 80 } } : {}),
      labels: {
        'diun.enable': 'true',
        ...(handover ? { 'update.strategy': 'handover' } : {}),
        'update.policy': random.pick(['automatic', 'automatic', 'manual']),
        'com.docker.compose.project': project,
        'com.docker.compose.service': `app${index}`,
        ...(backedUp ? { 'backup.kind': 'files', 'backup.paths': '/data' } : {}),
      },
    },
  };
}

function healthOf(random: Random, { hasHealthcheck }: Service): Behaviour {
  return random.pick(
    hasHealthcheck
      ? ['healthy', 'healthy', 'slow', 'never', 'exits', 'crash-loop']
      : ['healthy', 'healthy', 'exits', 'crash-loop'],
  );
}

function quietOf(random: Random, services: readonly Service[]): Quiet {
  const service = random.int(services.length);
  const health = healthOf(random, services[service]!);
  return random.pick<() => Quiet>([
    ...Array<() => Quiet>(6).fill(() => ({ kind: 'publish', service, health, webhooks: 1 + random.int(2) })),
    ...Array<() => Quiet>(3).fill(() => ({ kind: 'decide', decision: random.chance(0.8) ? 'approve' : 'decline' })),
    () => ({ kind: 'request', service }),
    () => ({ kind: 'outsider', service, act: random.pick(ACTS) }),
    () => ({ kind: 'engine', end: random.pick(['SIGTERM', 'SIGKILL', 'host']) }),
    () => ({ kind: 'process' }),
    () => ({ kind: 'clock', ms: random.pick(JUMPS) }),
    () => ({ kind: 'registry', away: random.chance(0.5) }),
    () => ({ kind: 'storage', fails: random.chance(0.5) }),
    () => ({ kind: 'reconcile' }),
  ])();
}

function midOf(random: Random, services: readonly Service[]): Mid {
  const service = random.int(services.length);
  const when = random.pick<Mid['when']>(['before', 'after']);
  const at = { kind: 'mid' as const, call: 1 + random.int(90), when };
  return random.pick<() => Mid>([
    ...Array<() => Mid>(3).fill(() => ({ ...at, fault: 'crash' })),
    ...Array<() => Mid>(2).fill(() => ({ ...at, fault: 'engine', end: random.pick(['SIGTERM', 'SIGKILL', 'host']) })),
    () => ({ ...at, fault: 'refused' }),
    ...Array<() => Mid>(2).fill(() => ({ ...at, fault: 'outsider', service, act: random.pick(ACTS) })),
    () => ({ ...at, fault: 'publish', service, health: healthOf(random, services[service]!) }),
  ])();
}
