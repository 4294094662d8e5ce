import type { Moment } from './e2e-engine-proxy';

/** A moment of a rehearsal. A trial is a database server and the application on it, first of the current version. */
export interface RehearsalCrash extends Moment {
  title: string;
  of: 'application' | 'new major';
}

const CREATE = /^POST \/containers\/create\?name=[^&]*\.diun-pilot-rehearsal-/;
const EXEC = /^POST \/containers\/[^/]+\/exec/;
const REMOVE = /^DELETE \/containers\//;
const START = /^POST \/containers\/[^/]+\/start/;
const UNPACK = /^PUT \/containers\/[^/]+\/archive/;

const ONE = [CREATE, START];
const times = (number: number): RegExp[] => Array.from({ length: number }, () => ONE).flat();

/** Before them there is one container that reads the free space. */
const APPLICATION: [string, RegExp[]][] = [
  ['the free space is read', times(1)],
  ['the first server is created', [...times(1), CREATE]],
  ['the first server is started', times(2)],
  ['databases are loaded', [...times(2), ...Array(8).fill(EXEC)]],
  ['the current version is created', [...times(2), CREATE]],
  ['its files are unpacked', [...times(2), CREATE, UNPACK]],
  ['the current version is started', times(3)],
  ['the current version is asked', [...times(3), EXEC]],
  ['the first trial is removed', [...times(3), REMOVE]],
  ['the second server is started', times(4)],
  ['the new version is created', [...times(4), CREATE]],
  ['the new version migrates', times(5)],
  ['the second trial is removed', [...times(5), REMOVE]],
];

/** And before them an empty server of the new major. */
const NEW_MAJOR: [string, RegExp[]][] = [
  ['the empty server is created', [...times(1), CREATE]],
  ['the empty server is asked', [...times(2), EXEC, EXEC]],
  ['databases are loaded into the current major', [...times(3), ...Array(8).fill(EXEC)]],
  ['the application runs on the current major', times(4)],
  ['the new major is created', [...times(4), CREATE]],
  ['databases are loaded into the new major', [...times(5), ...Array(8).fill(EXEC)]],
  ['the application runs on the new major', times(6)],
];

const rows = (of: RehearsalCrash['of'], points: [string, RegExp[]][]): RehearsalCrash[] =>
  points.map(([at, calls]) => ({ title: `${of}: ${at}`, of, calls, when: 'after' }));

export const REHEARSAL_CRASHES: RehearsalCrash[] = [
  ...rows('application', APPLICATION),
  ...rows('new major', NEW_MAJOR),
];
