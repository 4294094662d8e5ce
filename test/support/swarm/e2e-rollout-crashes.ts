import type { Moment } from '../e2e-engine-proxy';

/** What an update of a service comes to: it works, our own health check or Swarm refuses its image, or Swarm goes back on its own. */
export type Course = 'succeeds' | 'is paused' | 'fails its probe' | 'is rolled back by Swarm';

/** A call of diun-pilot to the engine on which it, or the engine, ends. */
export interface RolloutMoment extends Moment {
  title: string;
  course: Course;
}

const REGISTRY = /^GET \/distribution\//;
const SERVICE = /^GET \/services\/[^/?]+$/;
const TASKS = /^GET \/tasks/;
const NODES = /^GET \/nodes/;
const EXEC = /^POST \/containers\/[^/]+\/exec/;
const START_EXEC = /^POST \/exec\/[^/]+\/start/;
const INSPECT = /^GET \/containers\/[^/]+\/json/;
const INSPECT_EXEC = /^GET \/exec\//;
const UPDATE = /^POST \/services\/[^/]+\/update/;
const ROLLBACK = /^POST \/services\/[^/]+\/update\?.*rollback=previous/;

interface Stop {
  step: string;
  calls: RegExp[];
  /** Only there: a call that reads is the same moment on both sides. */
  when?: 'before' | 'after';
}

/** From the registry to the last look at the tasks. */
const ON_THE_WAY: Stop[] = [
  { step: 'ask the registry for the offer', calls: [REGISTRY], when: 'after' },
  { step: 'ask the registry at the start', calls: [REGISTRY, REGISTRY], when: 'after' },
  { step: 'read the service', calls: [REGISTRY, REGISTRY, SERVICE], when: 'after' },
  { step: 'request the rollout', calls: [UPDATE] },
  { step: 'read the rollout', calls: [UPDATE, SERVICE], when: 'after' },
  { step: 'read its tasks', calls: [UPDATE, TASKS], when: 'after' },
  { step: 'read the nodes', calls: [UPDATE, NODES], when: 'after' },
  { step: 'read the rollout again', calls: [UPDATE, SERVICE, SERVICE], when: 'after' },
  { step: 'read the rollout for the third time', calls: [UPDATE, SERVICE, SERVICE, SERVICE], when: 'after' },
  { step: 'prepare the probe of a task', calls: [UPDATE, EXEC] },
  { step: 'start the probe of a task', calls: [UPDATE, EXEC, START_EXEC] },
  { step: 'read the end of the probe', calls: [UPDATE, EXEC, START_EXEC, INSPECT_EXEC], when: 'after' },
  { step: 'read the tasks after the probe', calls: [UPDATE, EXEC, EXEC, TASKS], when: 'after' },
];

const ON_THE_WAY_BACK: Stop[] = [
  { step: 'request the rollback', calls: [ROLLBACK] },
  { step: 'read the rollback', calls: [ROLLBACK, SERVICE], when: 'after' },
  { step: 'read its tasks', calls: [ROLLBACK, TASKS], when: 'after' },
  { step: 'read the nodes', calls: [ROLLBACK, NODES], when: 'after' },
  { step: 'read the rollback again', calls: [ROLLBACK, SERVICE, SERVICE], when: 'after' },
  { step: 'prepare the probe of an old task', calls: [ROLLBACK, EXEC] },
  { step: 'start the probe of an old task', calls: [ROLLBACK, EXEC, START_EXEC] },
  { step: 'read the tasks after the probe', calls: [ROLLBACK, EXEC, EXEC, TASKS], when: 'after' },
];

const OF_SWARMS_OWN: Stop[] = [
  { step: 'request the rollout', calls: [UPDATE], when: 'after' },
  { step: 'read the rollout', calls: [UPDATE, SERVICE], when: 'after' },
  { step: 'read the rollout again', calls: [UPDATE, SERVICE, SERVICE], when: 'after' },
  { step: 'prepare the probe of an old task', calls: [UPDATE, EXEC] },
];

export const CRASHES: RolloutMoment[] = [
  ...momentsOf('succeeds', ON_THE_WAY),
  ...momentsOf('is paused', [...ON_THE_WAY.slice(3, 7), ...ON_THE_WAY_BACK]),
  ...momentsOf('fails its probe', [...ON_THE_WAY.slice(9, 10), ...ON_THE_WAY_BACK.slice(0, 2)]),
  ...momentsOf('is rolled back by Swarm', OF_SWARMS_OWN),
];

/** For the engine: all are held at once, so none is a call of a probe, which is made again after ten seconds. */
export const STAGES: RolloutMoment[] = [
  ...momentsOf('succeeds', [
    { step: 'the offer', calls: [REGISTRY], when: 'before' },
    { step: 'the rollout is requested', calls: [UPDATE] },
    { step: 'the rollout begins', calls: [UPDATE, TASKS], when: 'after' },
    { step: 'the rollout goes on', calls: [UPDATE, SERVICE, SERVICE, SERVICE], when: 'after' },
    { step: 'the tasks are checked', calls: [UPDATE, INSPECT], when: 'before' },
    { step: 'the tasks are looked at again', calls: [UPDATE, EXEC, EXEC, TASKS], when: 'before' },
  ]),
  ...momentsOf('fails its probe', [
    { step: 'the rollback is requested', calls: [ROLLBACK] },
    { step: 'the rollback begins', calls: [ROLLBACK, TASKS], when: 'after' },
    { step: 'the old tasks are checked', calls: [ROLLBACK, INSPECT], when: 'before' },
  ]),
];

function momentsOf(course: Course, stops: Stop[]): RolloutMoment[] {
  return stops.flatMap(({ step, calls, when }) =>
    (when === undefined ? (['before', 'after'] as const) : [when]).map((side) => ({
      ...{ title: `${course}; ${side}: ${step}`, course, calls, when: side },
    })),
  );
}
