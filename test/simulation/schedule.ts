import type { Behaviour } from '../support/fake-engine-types';
import { isProbed, withProbes } from './probes';
import { randomOf, type Random } from './random';
import { otherTagOf, withTwin } from './siblings';
import { DATA_DIRECTORY } from './stage';
import type { Act, Make, Mid, OperatorAct, Quiet, Service, SimulatedEvent, World } from './world';

const MINUTE = 60_000;
const RESTARTS = ['no', 'always', 'unless-stopped', 'on-failure'] as const;
const ACTS: readonly Act[] = [
  ...(['up', 'up', 'rm', 'rm-all', 'stop', 'start', 'tag', 'restart', 'prune', 'pause', 'unpause'] as const),
  ...(['start-aside', 'start-aside', 'compose-stop', 'compose-start', 'compose-restart', 'compose-restart'] as const),
];
/** Of the day, long enough that one of the looks is in them. */
const WINDOWS = ['02:00-07:00', '22:00-03:00', '12:00-18:00'];
const SOAKS = ['1m', '15m', '2h', '1d'];
const LASTS = [2 * MINUTE, 20 * MINUTE, 3 * 60 * MINUTE];
const JUMPS = [MINUTE, 10 * MINUTE, 60 * MINUTE, 26 * 60 * MINUTE, 80 * 60 * MINUTE, -60 * MINUTE];

/** The world of a seed, with all that will happen in it. */
export function worldOf(seed: number): World {
  const random = randomOf(seed);
  const single = withDatabase(
    random,
    Array.from({ length: 1 + random.int(3) }, (_, index) => serviceOf(random, index)),
  );
  const services = withTwin(seed, withProbes(seed, single));
  const events: SimulatedEvent[] = [];
  for (let left = 3 + random.int(8); left > 0; left--) {
    for (const event of random.chance(0.25) ? storyOf(random, services) : [quietOf(random, services)]) {
      while (random.chance(0.4)) events.push(midOf(random, services));
      events.push(event);
    }
  }
  return { services, events };
}

/** What single events seldom come to. */
function storyOf(random: Random, services: readonly Service[]): Quiet[] {
  const service = services.findIndex(soaks);
  const stories: (() => Quiet[])[] = [() => [quietOf(random, services)]];
  if (service >= 0)
    stories.push(
      () => failedSoak(random, services, service),
      () => disturbedSoak(random, service),
    );
  const app = services.findIndex(({ role }) => role === 'app');
  if (app >= 0) stories.push(() => migration(random, services, app));
  const ofTwoTags = services.findIndex((_, at) => otherTagOf(services, at) !== undefined);
  if (ofTwoTags >= 0) stories.push(() => moveAndBack(random, services, ofTwoTags));
  if (services.some(isBackedUp)) stories.push(() => [{ kind: 'backup' }, quietOf(random, services), restoreOf(random)]);
  return random.pick(stories)();
}

function failedSoak(random: Random, services: readonly Service[], service: number): Quiet[] {
  const health: Behaviour = services[service]!.hasHealthcheck ? 'fades' : 'dies';
  return [
    { kind: 'publish', service, health, lastsMs: LASTS[0]!, webhooks: 1 },
    { kind: 'decide', decision: 'approve' },
    { kind: 'clock', ms: random.pick([10, 30]) * MINUTE },
    ...(random.chance(0.5) ? [quietOf(random, services)] : []),
    answerOf(random),
  ];
}

/** A new version that migrates, and works or not; it waits for its approval, since it can change data. */
function migration(random: Random, services: readonly Service[], service: number): Quiet[] {
  const make = { ...makeOf(random, services[service]!), migrates: true };
  return [
    { kind: 'publish', service, ...make, webhooks: 1 },
    ...(random.chance(0.3) ? [quietOf(random, services)] : []),
    { kind: 'decide', decision: 'approve' },
  ];
}

/** The operator moves a container to the other tag of its repository, and sometimes back; both tags have new versions. */
function moveAndBack(random: Random, services: readonly Service[], service: number): Quiet[] {
  const other = otherTagOf(services, service) ?? '';
  const followed = services.findIndex(({ spec }) => spec.image === other);
  const published = (at: number): Quiet => ({
    kind: 'publish',
    service: at,
    ...makeOf(random, services[at]!),
    webhooks: 1,
  });
  const decided: Quiet = { kind: 'decide', decision: 'approve' };
  const back = services[service]?.spec.image ?? '';
  return [
    { kind: 'request', service, tag: other },
    decided,
    ...(random.chance(0.7) ? [published(followed), decided] : []),
    ...(random.chance(0.5) ? [published(service), decided] : []),
    ...(random.chance(0.5) ? [{ kind: 'request' as const, service, tag: back }, decided] : []),
  ];
}

/** By what may start the old container. */
function disturbedSoak(random: Random, service: number): Quiet[] {
  const act = random.pick<Act>(['start-aside', 'compose-start', 'compose-restart']);
  return [
    { kind: 'publish', service, health: 'healthy', webhooks: 1 },
    { kind: 'decide', decision: 'approve' },
    { kind: 'outsider', service, act },
  ];
}

const isBackedUp = ({ spec }: Service): boolean => spec.labels?.['backup.kind'] !== undefined;

const soaks = ({ spec }: Service): boolean => spec.labels?.['update.soak'] !== undefined;

function serviceOf(random: Random, index: number): Service {
  const project = random.pick(['web', 'shop']);
  const name = `${project}-app${index}-1`;
  const handover = random.chance(0.2);
  const data = !handover && random.chance(0.7);
  const backedUp = data && random.chance(0.5);
  const soak: Record<string, string> = random.chance(0.4) ? { 'update.soak': random.pick(SOAKS) } : {};
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
        ...soak,
        ...(random.chance(0.15) ? { 'update.window': random.pick(WINDOWS) } : {}),
        ...(backedUp ? { 'backup.kind': 'files', 'backup.paths': '/data' } : {}),
      },
    },
  };
}

/** Sometimes the project of the first service has a database, on which others of it depend. */
function withDatabase(random: Random, services: Service[]): Service[] {
  if (!random.chance(0.35)) return services;
  const project = projectOf(services[0]!);
  const apps = services.map((service): Service => {
    if (service.handover || projectOf(service) !== project || !random.chance(0.8)) return service;
    const labels = { ...service.spec.labels, 'com.docker.compose.depends_on': 'db:service_healthy:true' };
    return { ...service, role: 'app', spec: { ...service.spec, labels } };
  });
  return [...apps, serverOf(random, project)];
}

function serverOf(random: Random, project: string): Service {
  return {
    hasHealthcheck: random.chance(0.6),
    handover: false,
    role: 'database',
    spec: {
      name: `${project}-db-1`,
      image: 'db:15',
      restart: random.pick(RESTARTS),
      volumes: { rows: DATA_DIRECTORY },
      labels: {
        'diun.enable': 'true',
        'update.policy': random.pick(['automatic', 'manual']),
        'com.docker.compose.project': project,
        'com.docker.compose.service': 'db',
        'backup.kind': 'postgres',
      },
    },
  };
}

const projectOf = ({ spec }: Service): string => spec.labels?.['com.docker.compose.project'] ?? '';

function makeOf(random: Random, service: Service): Make {
  const { hasHealthcheck } = service;
  const late: Behaviour[] = hasHealthcheck ? ['dies', 'fades', 'fades'] : ['dies', 'dies'];
  const health = random.pick<Behaviour>([
    ...(hasHealthcheck ? (['healthy', 'healthy', 'slow', 'never'] as const) : (['healthy', 'healthy'] as const)),
    ...(['exits', 'crash-loop'] as const),
    ...(soaks(service) ? late : []),
  ]);
  return {
    health,
    ...(late.includes(health) ? { lastsMs: random.pick(LASTS) } : {}),
    ...(service.role === 'app' && random.chance(0.6) ? { migrates: true } : {}),
    ...(isProbed(service) && random.chance(0.3) ? { failsProbe: true } : {}),
  };
}

function restoreOf(random: Random): OperatorAct {
  return { kind: 'restore', by: random.chance(0.7) ? 'command' : 'link' };
}

function answerOf(random: Random): Extract<Quiet, { kind: 'soak' }> {
  const decision = random.chance(0.85) ? 'approve' : 'decline';
  return { kind: 'soak', decision, data: random.pick(['first', 'first', 'current', 'backup']) };
}

function actOf(random: Random, services: readonly Service[]): OperatorAct {
  return random.pick<() => OperatorAct>([
    ...Array<() => OperatorAct>(3).fill(() => decisionOf(random)),
    ...(services.some(soaks) ? [() => answerOf(random)] : []),
    ...(services.some(isBackedUp)
      ? [(): OperatorAct => restoreOf(random), (): OperatorAct => ({ kind: 'backup' })]
      : []),
    () => requestOf(random, services),
  ])();
}

/** Where there are two tags of its image, it is often for the other one. */
function requestOf(random: Random, services: readonly Service[]): OperatorAct {
  const service = random.int(services.length);
  const tag = otherTagOf(services, service);
  return { kind: 'request', service, ...(tag !== undefined && random.chance(0.6) ? { tag } : {}) };
}

function decisionOf(random: Random): OperatorAct {
  return { kind: 'decide', decision: random.chance(0.7) ? 'approve' : random.pick(['window', 'decline']) };
}

function quietOf(random: Random, services: readonly Service[]): Quiet {
  const service = random.int(services.length);
  const make = makeOf(random, services[service]!);
  return random.pick<() => Quiet>([
    ...Array<() => Quiet>(6).fill(() => ({ kind: 'publish', service, ...make, webhooks: 1 + random.int(2) })),
    ...Array<() => Quiet>(2).fill(() => ({ kind: 'clock', ms: random.pick(JUMPS) })),
    ...Array<() => Quiet>(6).fill(() => actOf(random, services)),
    () => ({ kind: 'outsider', service, act: random.pick(ACTS) }),
    () => ({ kind: 'engine', end: random.pick(['SIGTERM', 'SIGKILL', 'host']) }),
    () => ({ kind: 'process' }),
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
    () => ({ ...at, fault: 'publish', service, ...makeOf(random, services[service]!) }),
    () => ({ ...at, fault: 'operator', act: actOf(random, services) }),
  ])();
}
