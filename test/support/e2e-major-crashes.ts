import type { MajorCrash } from './e2e-major-lane';

const ARCHIVE = /^GET \/containers\/[^/]+\/archive/;
const CREATE_NEW = /^POST \/containers\/create\?name=[^&]*\.diun-pilot-new-/;
const CREATE_ONE_OFF = /^POST \/containers\/create\?name=[^&]*\.diun-pilot-restore-/;
const EXEC = /^POST \/containers\/[^/]+\/exec/;
const PULL = /^POST \/images\/create/;
const REMOVE = /^DELETE \/containers\//;
const RENAME_TO_OLD = /^POST \/containers\/[^/]+\/rename\?name=[^&]*\.diun-pilot-old-/;
const RENAME_TO_NEW = /^POST \/containers\/[^/]+\/rename\?name=[^&]*\.diun-pilot-new-/;
const RENAME_TO_OWN = /^POST \/containers\/[^/]+\/rename\?name=(?![^&]*\.diun-pilot-)/;
const RESTART = /^POST \/containers\/[^/]+\/restart/;
const START = /^POST \/containers\/[^/]+\/start/;
const STOP = /^POST \/containers\/[^/]+\/stop/;
const TAG = /^POST \/images\/[^?]+\/tag/;

/** The one-off containers of `move_data`: tools, new cluster; then the server is stopped, and the directories change places. */
const MADE = [CREATE_NEW, CREATE_ONE_OFF, REMOVE, CREATE_ONE_OFF];
const STOPPED = [...MADE, START, REMOVE, STOP];
const SWAPPED = [...STOPPED, CREATE_ONE_OFF];
const STARTED = [RENAME_TO_OLD, RENAME_TO_OWN, START];

type Point = Omit<MajorCrash, 'ends' | 'title'> & { at: string };

/** After each call by which an update to a new major changes something, and before or in the middle of the long ones. */
const POINTS: Point[] = [
  { step: 'backup', at: 'the application is stopped', calls: [STOP], when: 'after' },
  { step: 'backup', at: 'the databases are dumped', calls: [STOP, EXEC, EXEC, EXEC], when: 'after' },
  { step: 'backup', at: 'the files are read', calls: [STOP, ARCHIVE], when: 'after' },
  { step: 'pull', at: 'the image is pulled', calls: [STOP, ARCHIVE, PULL], when: 'before' },
  { step: 'preflight', at: 'the server is asked', calls: [STOP, ARCHIVE, PULL, EXEC], when: 'after' },
  { step: 'move_data', at: 'the tag is moved', calls: [TAG], when: 'after' },
  { step: 'move_data', at: 'the new container is created', calls: [CREATE_NEW], when: 'after' },
  { step: 'move_data', at: 'the new cluster is made', calls: [...MADE, START], when: 'after' },
  { step: 'move_data', at: 'the new cluster is there', calls: [...MADE, START, REMOVE], when: 'after' },
  { step: 'move_data', at: 'the server is stopped', calls: STOPPED, when: 'before' },
  { step: 'move_data', at: 'the server is stopped', calls: STOPPED, when: 'after' },
  { step: 'move_data', at: 'the directories change places', calls: [...SWAPPED, START], when: 'before' },
  { step: 'move_data', at: 'the directories change places', calls: [...SWAPPED, START], when: 'after' },
  { step: 'move_data', at: 'the directories have changed places', calls: [...SWAPPED, START, REMOVE], when: 'after' },
  { step: 'recreate', at: 'the old container is renamed', calls: [RENAME_TO_OLD], when: 'after' },
  { step: 'recreate', at: 'the new container is renamed', calls: [RENAME_TO_OLD, RENAME_TO_OWN], when: 'after' },
  { step: 'recreate', at: 'the new server is started', calls: STARTED, when: 'after' },
  { step: 'load_data', at: 'the roles are loaded', calls: [...STARTED, ...Array(6).fill(EXEC)], when: 'after' },
  { step: 'load_data', at: 'databases are loaded', calls: [...STARTED, ...Array(14).fill(EXEC)], when: 'after' },
  { step: 'load_data', at: 'the server is opened', calls: [...STARTED, CREATE_ONE_OFF, START], when: 'before' },
  { step: 'load_data', at: 'the server is opened', calls: [...STARTED, CREATE_ONE_OFF, START], when: 'after' },
  { step: 'load_data', at: 'the server is restarted', calls: [RESTART], when: 'after' },
  { step: 'health_check', at: 'the server is asked', calls: [RESTART, EXEC], when: 'after' },
  { step: 'health_check', at: 'the application is started', calls: [RESTART, START], when: 'before' },
  { step: 'health_check', at: 'the application is started', calls: [RESTART, START], when: 'after' },
  { step: 'cleanup', at: 'the volume is tidied', calls: [RESTART, START, CREATE_ONE_OFF, START], when: 'after' },
  {
    step: 'cleanup',
    at: 'the old container is removed',
    calls: [RESTART, START, CREATE_ONE_OFF, REMOVE, REMOVE],
    when: 'after',
  },
];

const AWAY = [...STARTED, STOP];
const BACK = [RENAME_TO_NEW, RENAME_TO_OWN, CREATE_ONE_OFF];

/** The way back: the load has failed. */
const POINTS_BACK: Point[] = [
  { step: 'rollback', at: 'the new server is stopped', calls: AWAY, when: 'after' },
  { step: 'rollback', at: 'the new container is renamed away', calls: [RENAME_TO_NEW], when: 'after' },
  { step: 'rollback', at: 'the old container is renamed back', calls: [RENAME_TO_NEW, RENAME_TO_OWN], when: 'after' },
  { step: 'rollback', at: 'the directories change places again', calls: [...BACK, START], when: 'before' },
  { step: 'rollback', at: 'the directories change places again', calls: [...BACK, START], when: 'after' },
  { step: 'rollback', at: 'the new directory is removed', calls: [...BACK, CREATE_ONE_OFF, START], when: 'after' },
  { step: 'rollback', at: 'the old server is started', calls: [...BACK, CREATE_ONE_OFF, START, START], when: 'after' },
  {
    step: 'rollback_health_check',
    at: 'the application is started',
    calls: [...BACK, CREATE_ONE_OFF, START, START, START],
    when: 'after',
  },
];

const named =
  (ends: MajorCrash['ends']) =>
  (point: Point): MajorCrash => ({
    ...point,
    ends,
    title: `${point.step}, ${point.when}: ${point.at}`,
  });

export const ON_THE_WAY_TO_17: MajorCrash[] = POINTS.map(named('succeeded'));
export const ON_THE_WAY_BACK_TO_15: MajorCrash[] = POINTS_BACK.map(named('rolled_back'));
