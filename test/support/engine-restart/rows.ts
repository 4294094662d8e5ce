import type { EngineEnd } from '../../lab/engine/private-engine';
import type { ImageName } from '../../lab/images/recipes';
import type { Moment } from '../e2e-engine-proxy';
import { EXHAUSTIVE } from '../exhaustive';

/** What goes on while the engine restarts, and how it must end. */
export type Course = 'update' | 'rollback' | 'restore after a rollback' | 'restore';

/** To which image the container is updated; `update` goes to the one of two good ones that does not run. */
export const TO: Record<Exclude<Course, 'update' | 'restore'>, ImageName> = {
  rollback: 'WRITER_2_BROKEN',
  'restore after a rollback': 'WRITER_2_MIGRATES',
};

/** One stage of a course: the engine ends when diun-pilot has come to this call. */
export interface Stop extends Moment {
  course: Course;
  stage: string;
  /** Also outside of `npm run test:exhaustive`, with this end of the engine. */
  always?: EngineEnd;
}

const CREATE_NEW = /^POST \/containers\/create\?name=[^&]*\.diun-pilot-new-/;
const CREATE_ONE_OFF = /^POST \/containers\/create\?name=[^&]*\.diun-pilot-restore-/;
const PULL = /^POST \/images\/create/;
const REMOVE = /^DELETE \/containers\//;
const RENAME_TO_OLD = /^POST \/containers\/[^/]+\/rename\?name=[^&]*\.diun-pilot-old-/;
const RENAME_TO_NEW = /^POST \/containers\/[^/]+\/rename\?name=[^&]*\.diun-pilot-new-/;
const START = /^POST \/containers\/[^/]+\/start/;
const STOP = /^POST \/containers\/[^/]+\/stop/;
const EXEC = /^POST \/containers\/[^/]+\/exec/;
const READ_FILES = /^GET \/containers\/[^/]+\/archive/;
const UNPACK = /^PUT \/containers\/[^/]+\/archive/;

const UPDATE: Omit<Stop, 'course'>[] = [
  { stage: 'pull', calls: [PULL], when: 'after' },
  { stage: 'backup, the writer stopped', calls: [STOP, READ_FILES], when: 'before' },
  { stage: 'recreate, the old one renamed', calls: [RENAME_TO_OLD], when: 'after' },
  { stage: 'recreate, the new one started', calls: [CREATE_NEW, START], when: 'after' },
  { stage: 'health_check', calls: [CREATE_NEW, START, EXEC], when: 'before', always: 'SIGTERM' },
  { stage: 'cleanup', calls: [CREATE_NEW, START, EXEC, REMOVE], when: 'before' },
];
const ROLLBACK: Omit<Stop, 'course'>[] = [
  { stage: 'rollback, the new one stopped', calls: [CREATE_NEW, START, STOP], when: 'after' },
  { stage: 'rollback, the old one started', calls: [RENAME_TO_NEW, START], when: 'after', always: 'SIGKILL' },
  { stage: 'rollback_health_check', calls: [RENAME_TO_NEW, START, EXEC], when: 'before' },
];
/** From the stop of those that write to the end, whether an operator or a rollback asked for it. */
const RESTORE: Omit<Stop, 'course'>[] = [
  { stage: 'the writer stopped', calls: [STOP], when: 'after' },
  { stage: 'the files unpacked', calls: [STOP, UNPACK], when: 'after' },
  { stage: 'old and new files changing places', calls: [UNPACK, CREATE_ONE_OFF, START], when: 'after' },
  { stage: 'the writer started again', calls: [UNPACK, CREATE_ONE_OFF, START, START], when: 'after' },
];

const BEFORE_RESTORE = [RENAME_TO_NEW, START];

const STOPS: Stop[] = [
  ...UPDATE.map((row) => ({ ...row, course: 'update' as const })),
  ...ROLLBACK.map((row) => ({ ...row, course: 'rollback' as const })),
  ...RESTORE.map((row, at) => ({
    ...row,
    course: 'restore after a rollback' as const,
    calls: [...BEFORE_RESTORE, ...row.calls],
    ...(at === 2 ? { always: 'SIGKILL' as const } : {}),
  })),
  ...RESTORE.map((row, at) => ({
    ...row,
    course: 'restore' as const,
    ...(at === 2 ? { always: 'SIGTERM' as const } : {}),
  })),
];

export interface Row extends Stop {
  title: string;
  end: EngineEnd;
}

/** Every stop with both ends of the engine, or the part that always runs. */
export const ROWS: Row[] = STOPS.flatMap((stop) =>
  (['SIGTERM', 'SIGKILL'] as const)
    .filter((end) => EXHAUSTIVE || stop.always === end)
    .map((end) => ({ ...stop, end, title: `${stop.course}, ${stop.stage}: ${end}` })),
);
