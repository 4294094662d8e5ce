import type { Moment } from './e2e-engine-proxy';

/** Two rows of the crash table: a call by which an update changes something, and diun-pilot killed on each side of it. */
export interface CrashPoint {
  step: string;
  calls: RegExp[];
}

const CREATE_CHECK = /^POST \/containers\/create\?name=[^&]*\.diun-pilot-check-/;
const CREATE_NEW = /^POST \/containers\/create\?name=[^&]*\.diun-pilot-new-/;
const REMOVE = /^DELETE \/containers\//;
const START = /^POST \/containers\/[^/]+\/start/;
const STOP = /^POST \/containers\/[^/]+\/stop/;
const CONNECT = /^POST \/networks\/[^/]+\/connect/;
const INSPECT = /^GET \/containers\/[^/]+\/json/;
const TAG = /^POST \/images\/[^?]+\/tag/;
const RENAME_TO_OLD = /^POST \/containers\/[^/]+\/rename\?name=[^&]*\.diun-pilot-old-/;
const RENAME_TO_NEW = /^POST \/containers\/[^/]+\/rename\?name=[^&]*\.diun-pilot-new-/;
const RENAME_TO_OWN = /^POST \/containers\/[^/]+\/rename\?name=(?![^&]*\.diun-pilot-)/;

/** From the pull to the verdict, as an update of a healthy nginx with two networks asks the engine. */
export const ON_THE_WAY: CrashPoint[] = [
  { step: 'pull', calls: [/^POST \/images\/create/] },
  { step: 'create the one-off of nginx -t', calls: [CREATE_CHECK] },
  { step: 'start the one-off of nginx -t', calls: [CREATE_CHECK, START] },
  { step: 'remove the one-off of nginx -t', calls: [CREATE_CHECK, REMOVE] },
  { step: 'move the tag', calls: [TAG] },
  { step: 'create the new container', calls: [CREATE_NEW] },
  { step: 'connect the new container to its second network', calls: [CREATE_NEW, CONNECT] },
  { step: 'rename the old container', calls: [RENAME_TO_OLD] },
  { step: 'rename the new container', calls: [RENAME_TO_OWN] },
  { step: 'stop the old container', calls: [STOP] },
  { step: 'start the new container', calls: [STOP, START] },
  { step: 'inspect it for its health', calls: [STOP, START, INSPECT] },
  { step: 'remove the old container', calls: [STOP, START, REMOVE] },
];

/** The way back, when the new one is not healthy. */
export const ON_THE_WAY_BACK: CrashPoint[] = [
  { step: 'stop the new container', calls: [STOP, START, STOP] },
  { step: 'rename the new container away', calls: [RENAME_TO_NEW] },
  { step: 'rename the old container back', calls: [RENAME_TO_NEW, RENAME_TO_OWN] },
  { step: 'start the old container', calls: [RENAME_TO_NEW, START] },
  { step: 'put the tag back', calls: [RENAME_TO_NEW, TAG] },
  { step: 'remove the new container', calls: [RENAME_TO_NEW, START, REMOVE] },
];

export type Ends = 'succeeded' | 'rolled_back';

export interface Crash extends Moment {
  title: string;
  ends: Ends;
}

export function crashes(points: CrashPoint[], ends: Ends): Crash[] {
  return points.flatMap(({ step, calls }) =>
    (['before', 'after'] as const).map((when) => ({ title: `${when}: ${step}`, calls, when, ends })),
  );
}
