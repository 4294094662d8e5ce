import { createHash } from 'node:crypto';
import type { RestartPolicy } from '../../src/domain/engine-inspect';
import { faultsBetween, POLICIES, restartAt, settleThroughOutages, type Fault } from '../support/engine-restart/faults';
import { secondWriters } from '../support/every-start';
import { EXHAUSTIVE, someOf } from '../support/exhaustive';
import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import type { Forge } from '../support/forge-scene';
import { migratingForge } from '../support/migrating-forge';
import {
  askedRestore,
  dataOf,
  FORGE,
  keptOf,
  leftovers,
  nextProcess,
  restoreOf,
  type DataSeen,
} from '../support/restore-scene';
import type { Scene } from '../support/scene';

// The engine restarts at every call of a restore, gracefully or not, alone or with the whole host, under each restart policy.
// The database server is not ready at once when it is started again.

const OF_THE_SET = ['forge-db-1', 'forge-gitea-1', 'forge-runner-1'];
const RECOVERY_MS = 4_000;

/** A forge whose restore is under way as soon as its scene settles. */
interface Restoring {
  forge: Forge;
  scene: Scene;
  before: DataSeen;
  after: DataSeen;
}

interface Course {
  begin(policy: RestartPolicy): Promise<Restoring>;
  verdict(scene: Scene): { status: string; mails: number; why: string };
  ends: string;
}

const OPERATOR: Course = {
  begin: async (policy) => {
    const { forge, scene, backedUp, changed } = await askedRestore({ policy });
    return { forge, scene, before: changed, after: backedUp };
  },
  verdict: (scene) => ({
    status: restoreOf(scene).status,
    mails: scene.mails().filter(({ kind }) => kind === 'restore_ended').length,
    why: restoreOf(scene).error?.message ?? '',
  }),
  ends: 'succeeded',
};

const AFTER_ROLLBACK: Course = {
  begin: async (policy) => {
    const { forge, before } = await migratingForge({ policy });
    return { forge, scene: forge.scene, before, after: before };
  },
  verdict: (scene) => {
    const [update] = scene.updates();
    return {
      status: update?.status ?? '',
      mails: scene.mails().filter(({ kind }) => kind === 'update_failed').length,
      why: `${update?.error?.message}`,
    };
  },
  ends: 'rolled_back',
};

/** PostgreSQL refuses everything until its recovery is over. */
function recoversSlowly({ forge, scene }: Pick<Restoring, 'forge' | 'scene'>): void {
  const scripts = forge.specs['postgres:15']?.scripts as Scripts;
  const { host } = scene.engine;
  for (const [command, script] of Object.entries(scripts)) {
    scripts[command] = (call: CommandCall): Outcome => {
      const { startedAt } = host.find('forge-db-1');
      const up = scene.clock.now().getTime() - startedAt >= RECOVERY_MS || startedAt === firstStart;
      if (!up) return { exitCode: 2, stderr: 'FATAL:  the database system is starting up' };
      return typeof script === 'function' ? script(call) : script;
    };
  }
  const firstStart = host.find('forge-db-1').startedAt;
}

async function restartedAt(course: Course, policy: RestartPolicy, fault: Fault) {
  const restoring = await course.begin(policy);
  recoversSlowly(restoring);
  let { scene } = restoring;
  const writers = secondWriters(scene.engine);
  if (fault.end === 'host') {
    const { engine } = scene;
    await Promise.race([engine.crashAt(fault.at, fault.when), settleThroughOutages(scene)]);
    // Health is polled a time more or less: then the last crash comes after the end.
    if (isOpen(course.verdict(scene).status)) engine.host.restartDaemon('SIGKILL');
    scene = nextProcess(scene);
  } else restartAt(scene, fault, fault.end);
  await settleThroughOutages(scene);
  return { ...restoring, scene, writers };
}

const isOpen = (status: string): boolean => status === 'queued' || status === 'running';

function judge(course: Course, { scene, forge, writers, before, after }: Awaited<ReturnType<typeof restartedAt>>) {
  const wrong = writers.map((words) => `two writers: ${words}`);
  const must = (is: boolean, what: string): void => void (is || wrong.push(what));
  const { engine } = scene;
  const { status, mails, why } = course.verdict(scene);
  const data = said(dataOf(engine, forge.databases));
  must(status === course.ends, `${status}: ${why}`);
  must(data === said(status === course.ends ? after : before), 'the data of the verdict');
  must(
    course === AFTER_ROLLBACK || said(keptOf(engine, forge.databases)) !== said({ databases: {}, files: {} }),
    'kept',
  );
  must(leftovers(engine, forge.databases).length === 0, `left: ${leftovers(engine, forge.databases).join()}`);
  must(engine.containerNames().join() === FORGE.join(), `containers: ${engine.containerNames().join()}`);
  const down = OF_THE_SET.filter((name) => engine.containerNames().includes(name) && !engine.isRunning(name));
  must(down.length === 0, `down: ${down.join()}`);
  must(mails === 1, `${mails} mails`);
  must(scene.store.disarmed.all().length === 0, 'nothing stays disarmed');
  return wrong;
}

function said({ databases, files }: DataSeen): string {
  const hash = (dump: Buffer): string => createHash('sha256').update(dump).digest('hex').slice(0, 8);
  return JSON.stringify([Object.entries(databases).map(([name, dump]) => [name, hash(dump)]), files]);
}

/** Calls from the first like this one to the end; the look for leftovers comes after it, when a restart is no concern of the restore. */
async function callsOf(course: Course, policy: RestartPolicy, first: RegExp): Promise<{ from: number; to: number }> {
  const { scene } = await course.begin(policy);
  const earlier = scene.engine.transcript.length;
  const { callCount } = scene.engine;
  await scene.settle();
  const lines = scene.engine.transcript.slice(earlier).map(({ line }) => line);
  scene.close();
  const from = lines.findIndex((line) => first.test(line));
  expect(from).toBeGreaterThan(0);
  const last = lines.findLastIndex((line) => line !== 'containers');
  return { from: callCount + 1 + from, to: callCount + last + 1 };
}

const policies = EXHAUSTIVE
  ? Object.entries(POLICIES)
  : Object.entries(POLICIES).filter(([name]) => name === 'no' || name === 'always');

describe.each<[string, Course, RegExp]>([
  ['that an operator asks for', OPERATOR, /^exec\w* forge-db-1 .*server_version_num/],
  ['after a rollback', AFTER_ROLLBACK, /^stop forge-runner-1$/],
])('a restore %s', (_title, course, first) => {
  it.each(policies)(
    'with policy %s ends with the data of the set, all running and one writer at any moment, wherever the engine restarts',
    async (_policy, policy) => {
      const { from, to } = await callsOf(course, policy, first);
      const seen: unknown[] = [];
      for (const fault of someOf(faultsBetween(from, to), 97)) {
        const after = await restartedAt(course, policy, fault);
        const wrong = judge(course, after);
        const line = after.scene.engine.lines({ reads: true })[fault.at - 1];
        if (wrong.length > 0) seen.push([`${fault.end} ${fault.when} call ${fault.at}, ${line}`, ...wrong]);
        after.scene.close();
      }
      expect(seen).toEqual([]);
    },
    1_800_000,
  );
});
