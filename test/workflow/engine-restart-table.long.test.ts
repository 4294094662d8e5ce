import type { RestartPolicy } from '../../src/domain/engine-inspect';
import { faultsBetween, POLICIES, restartAt, settleThroughOutages, type Fault } from '../support/engine-restart/faults';
import { secondWriters } from '../support/every-start';
import { EXHAUSTIVE, someOf } from '../support/exhaustive';
import type { Behaviour } from '../support/fake-engine-types';
import { nginx, openScene, type Scene } from '../support/scene';

// The engine restarts at every call of an update, gracefully or not, alone or with the whole host, under each restart
// policy. The container writes to a volume: no second container may run on it at any moment.

const NAME = 'web-nginx-1';
const TAG = 'nginx:stable';
const stopCode = (): number => 137;

async function updateWith(health: Behaviour, policy: RestartPolicy, fault: Fault | null) {
  let scene = openScene();
  const { engine } = scene;
  const old = engine.addImage({ reference: TAG, stopCode });
  const labels = { 'backup.kind': 'files', 'backup.paths': '/data' };
  const spec = nginx({ labels, ports: {}, volumes: { data: '/data' }, hostConfig: { RestartPolicy: policy } });
  const oldId = engine.runContainer(spec);
  engine.files(NAME).write('/data/one', '1');
  const next = engine.publish(TAG, { health, stopCode });
  const writers = secondWriters(engine);
  scene.hear(`docker.io/library/${TAG}`, next.digest);
  const images = { old: old.id, next: next.id };
  if (fault === null) {
    const calls = callsOfTheUpdate(scene);
    await scene.settle();
    return { scene, writers, from: calls.from, calls: calls.to, images, oldId };
  }
  if (fault.end === 'host') {
    await Promise.race([engine.crashAt(fault.at, fault.when), settleThroughOutages(scene)]);
    // Health is polled a time more or less: then the last crash comes after the end.
    if (scene.updates()[0]?.finishedAt === null) engine.host.restartDaemon('SIGKILL');
    scene = scene.restart();
  } else restartAt(scene, fault, fault.end);
  await settleThroughOutages(scene);
  return { scene, writers, from: 0, calls: fault.at, images, oldId };
}

/** Outside its update a container with the policy `no` that the engine took down is down as the operator said. */
function callsOfTheUpdate({ engine, store }: Scene): { from: number; to: number } {
  const calls = { from: 0, to: 0 };
  const saveJournal = store.updates.saveJournal.bind(store.updates);
  store.updates.saveJournal = (id, journal) => {
    calls.from ||= engine.callCount;
    calls.to = engine.callCount;
    saveJournal(id, journal);
  };
  return calls;
}

function judge(after: Awaited<ReturnType<typeof updateWith>>, ends: string, policy: RestartPolicy): string[] {
  const { scene, writers, images, oldId } = after;
  const wrong = writers.map((words) => `two writers: ${words}`);
  const must = (is: boolean, what: string): void => void (is || wrong.push(what));
  const { engine } = scene;
  const [update, ...others] = scene.updates();
  must(others.length === 0 && update?.status === ends, `status ${update?.status}: ${update?.reason}`);
  must(engine.containerNames().join() === NAME, `containers: ${engine.containerNames().join()}`);
  if (!engine.containerNames().includes(NAME)) return wrong;
  const runs = engine.container(NAME);
  const rolledBack = ends === 'rolled_back';
  must(runs.State.Running && !runs.State.Restarting, `it is ${runs.State.Status}`);
  must(runs.Image === (rolledBack ? images.old : images.next), 'the image of the verdict runs');
  must(!rolledBack || runs.Id === oldId, 'the very old container runs');
  must(engine.tagged(TAG) === runs.Image, 'the tag names what runs');
  const seen = JSON.stringify(runs.HostConfig.RestartPolicy);
  must(seen === JSON.stringify(policy), `restart policy ${seen}`);
  must(scene.store.disarmed.all().length === 0, 'nothing stays disarmed');
  must(scene.store.keptContainers.all().length === 0, 'nothing is left over');
  const failed = scene.mails().filter(({ kind }) => kind === 'update_failed').length;
  must(failed === (rolledBack ? 1 : 0), `${failed} mails`);
  must(!update?.steps.some(({ status }) => status === 'running'), 'no step runs on');
  return wrong;
}

const policies = EXHAUSTIVE
  ? Object.entries(POLICIES)
  : Object.entries(POLICIES).filter(([name]) => name !== 'on-failure');

describe.each<[string, Behaviour, string]>([
  ['a healthy image', 'healthy', 'succeeded'],
  ['an image that never works', 'exits', 'rolled_back'],
])('an update to %s', (_title, health, ends) => {
  it.each(policies)(
    'with policy %s ends whole, its policy as before and with one writer at any moment, wherever the engine restarts',
    async (_policy, policy) => {
      const whole = await updateWith(health, policy, null);
      expect(judge(whole, ends, policy)).toEqual([]);
      whole.scene.close();
      const faults = faultsBetween(whole.from + 1, whole.calls);
      const seen: unknown[] = [];
      for (const fault of someOf(faults, 13)) {
        const after = await updateWith(health, policy, fault);
        const wrong = judge(after, ends, policy);
        const line = after.scene.engine.lines({ reads: true })[fault.at - 1];
        if (wrong.length > 0) seen.push([`${fault.end} ${fault.when} call ${fault.at}, ${line}`, ...wrong]);
        after.scene.close();
      }
      expect(seen).toEqual([]);
    },
    1_800_000,
  );
});
