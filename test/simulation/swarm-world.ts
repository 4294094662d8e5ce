import type { ServiceSpec } from '../../src/domain/services/swarm-inspect';
import type { Behaviour } from '../support/fake-engine-types';
import { randomOf, type Random } from './random';

/** One service of a simulated Swarm, with a reference of its own. */
export interface SwarmService {
  name: string;
  reference: string;
  labels: Record<string, string>;
  replicas: number;
  /** Where its tasks run; only those of `node-here` have containers on this engine. */
  node: 'node-here' | 'node-b';
  hasHealthcheck: boolean;
  spec: Partial<ServiceSpec>;
}

export interface SwarmMake {
  health: Behaviour;
  lastsMs?: number;
  /** Its tasks run, and the probe of the service fails. */
  failsProbe?: boolean;
}

/** What another client of the Swarm does with the docker command line. */
export type ClientAct =
  { act: 'scale'; replicas: number } | { act: 'image' | 'force' | 'label' | 'rollback' | 'rm' | 'deploy' };

export type SwarmOperatorAct =
  { kind: 'decide'; decision: 'approve' | 'decline' } | { kind: 'request'; service: number };

/** At a quiet moment; everything is then worked until it is quiet again. */
export type SwarmQuiet =
  | ({ kind: 'publish'; service: number; webhooks: number } & SwarmMake)
  | SwarmOperatorAct
  | ({ kind: 'client'; service: number } & ClientAct)
  | { kind: 'move'; service: number }
  | { kind: 'kill'; service: number }
  | { kind: 'process' }
  | { kind: 'clock'; ms: number }
  | { kind: 'registry'; away: boolean }
  | { kind: 'storage'; fails: boolean }
  | { kind: 'reconcile' };

/** At the nth call of engine or Swarm from its place in the schedule on. */
export type SwarmMid = { kind: 'mid'; call: number; when: 'before' | 'after' } & (
  | { fault: 'crash' | 'refused' | 'cut' | 'engine' }
  | { fault: 'leader'; ms: number }
  | { fault: 'move' | 'kill'; service: number }
  | { fault: 'storage'; fails: boolean }
  | ({ fault: 'client'; service: number } & ClientAct)
  | ({ fault: 'publish'; service: number } & SwarmMake)
  | { fault: 'operator'; act: SwarmOperatorAct }
);

export type SwarmEvent = SwarmQuiet | SwarmMid;

export interface SwarmWorld {
  services: SwarmService[];
  events: SwarmEvent[];
}

export const BAD: readonly Behaviour[] = ['never', 'exits', 'crash-loop'];
const MINUTE = 60_000;
const JUMPS = [MINUTE, 10 * MINUTE, 60 * MINUTE, 26 * 60 * MINUTE, 80 * 60 * MINUTE, -60 * MINUTE];

/** The world of a seed, with all that will happen in it. */
export function swarmWorldOf(seed: number): SwarmWorld {
  const random = randomOf(seed);
  const services = Array.from({ length: 1 + random.int(3) }, (_, index) => serviceOf(random, index));
  const events: SwarmEvent[] = [];
  for (let left = 3 + random.int(7); left > 0; left--) {
    while (random.chance(0.45)) events.push(midOf(random, services));
    events.push(quietOf(random, services));
  }
  return { services, events };
}

function serviceOf(random: Random, index: number): SwarmService {
  const stack = random.pick(['site', 'site', 'shop']);
  const holdsData = random.chance(0.5);
  const isGlobal = !holdsData && random.chance(0.2);
  const isProbed = random.chance(0.5);
  const constraint = { Placement: { Constraints: ['node.hostname==node-here'] } };
  const mount = { Type: 'volume', Source: `${stack}-data${index}`, Target: '/data' };
  return {
    name: `${stack}_app${index}`,
    reference: `app${index}:1`,
    replicas: holdsData || isGlobal ? 1 : 1 + random.int(3),
    node: !holdsData && random.chance(0.2) ? 'node-b' : 'node-here',
    hasHealthcheck: random.chance(0.5),
    labels: {
      'diun.enable': 'true',
      'update.policy': random.pick(['automatic', 'automatic', 'manual']),
      'com.docker.stack.namespace': stack,
      ...(isProbed ? { 'update.probe': 'exec:ask', 'update.probe.timeout': '20s' } : {}),
      ...(holdsData ? { 'backup.kind': 'files', 'backup.paths': '/data' } : {}),
      ...(holdsData || !isGlobal ? random.pick<object>([{}, { 'backup.quiesce': 'allowed' }]) : {}),
    },
    spec: {
      ...(isGlobal ? { Mode: { Global: {} } } : {}),
      ...(random.chance(0.5) ? { UpdateConfig: configOf(random) } : {}),
      ...(random.chance(0.3) ? { RollbackConfig: { Parallelism: random.int(3), FailureAction: 'pause' } } : {}),
      ...(holdsData ? { TaskTemplate: { ...constraint, ContainerSpec: { Image: '', Mounts: [mount] } } } : {}),
    },
  };
}

function configOf(random: Random): ServiceSpec['UpdateConfig'] {
  return {
    Parallelism: random.int(3),
    FailureAction: random.pick(['pause', 'rollback', 'continue']),
    Order: random.pick(['stop-first', 'start-first']),
  };
}

function makeOf(random: Random, { hasHealthcheck, labels }: SwarmService): SwarmMake {
  const late: Behaviour = hasHealthcheck && random.chance(0.5) ? 'fades' : 'dies';
  const health = random.pick<Behaviour>(['healthy', 'healthy', 'healthy', 'healthy', 'slow', ...BAD, late]);
  return {
    health,
    ...(health === late ? { lastsMs: random.pick([2, 20, 180]) * MINUTE } : {}),
    ...(labels['update.probe'] !== undefined && random.chance(0.25) ? { failsProbe: true } : {}),
  };
}

function clientActOf(random: Random, { spec }: SwarmService): ClientAct {
  const scale: ClientAct = { act: 'scale', replicas: random.int(4) };
  const others = (['image', 'image', 'force', 'label', 'label', 'rollback', 'rm', 'deploy', 'deploy'] as const).map(
    (act): ClientAct => ({ act }),
  );
  return random.pick<ClientAct>([...(spec.Mode?.Global ? [] : [scale, scale, scale]), ...others]);
}

function operatorActOf(random: Random, services: readonly SwarmService[]): SwarmOperatorAct {
  if (random.chance(0.3)) return { kind: 'request', service: random.int(services.length) };
  return { kind: 'decide', decision: random.chance(0.8) ? 'approve' : 'decline' };
}

function quietOf(random: Random, services: readonly SwarmService[]): SwarmQuiet {
  const service = random.int(services.length);
  const given = services[service] as SwarmService;
  return random.pick<() => SwarmQuiet>([
    ...Array<() => SwarmQuiet>(7).fill(() => ({
      ...{ kind: 'publish', service, ...makeOf(random, given), webhooks: 1 + random.int(2) },
    })),
    ...Array<() => SwarmQuiet>(4).fill(() => operatorActOf(random, services)),
    ...Array<() => SwarmQuiet>(2).fill(() => ({ kind: 'client', service, ...clientActOf(random, given) })),
    ...Array<() => SwarmQuiet>(2).fill(() => ({ kind: 'clock', ms: random.pick(JUMPS) })),
    () => ({ kind: 'move', service }),
    () => ({ kind: 'kill', service }),
    () => ({ kind: 'process' }),
    () => ({ kind: 'registry', away: random.chance(0.5) }),
    () => ({ kind: 'storage', fails: random.chance(0.5) }),
    () => ({ kind: 'reconcile' }),
  ])();
}

function midOf(random: Random, services: readonly SwarmService[]): SwarmMid {
  const service = random.int(services.length);
  const given = services[service] as SwarmService;
  const at = { kind: 'mid' as const, call: 1 + random.int(100), when: random.pick(['before', 'after'] as const) };
  return random.pick<() => SwarmMid>([
    ...Array<() => SwarmMid>(3).fill(() => ({ ...at, fault: 'crash' })),
    ...Array<() => SwarmMid>(3).fill(() => ({ ...at, fault: 'client', service, ...clientActOf(random, given) })),
    () => ({ ...at, fault: 'refused' }),
    () => ({ ...at, fault: 'cut' }),
    () => ({ ...at, fault: 'engine' }),
    () => ({ ...at, fault: 'leader', ms: random.pick([2_000, 20_000]) }),
    () => ({ ...at, fault: 'move', service }),
    () => ({ ...at, fault: 'kill', service }),
    () => ({ ...at, fault: 'storage', fails: random.chance(0.7) }),
    () => ({ ...at, fault: 'publish', service, ...makeOf(random, given) }),
    () => ({ ...at, fault: 'operator', act: operatorActOf(random, services) }),
  ])();
}

/** As a report prints it. */
export function describeSwarm(event: SwarmEvent, { services }: SwarmWorld): string {
  const { kind, ...rest } = event;
  const words = Object.entries(rest).map(([key, value]) =>
    key === 'service'
      ? (services[value as number]?.name ?? '')
      : `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  return [kind, ...words].join(' ');
}
