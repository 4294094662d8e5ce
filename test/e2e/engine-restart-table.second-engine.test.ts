import { whyNoOtherEngine } from '../lab/engine/other-engine';
import type { PrivateEngine } from '../lab/engine/private-engine';
import { besideLab } from '../support/e2e-other-engine';
import { openStage } from '../support/e2e-stage';
import { holdAt, openLane, type AfterRestart, type Lane } from '../support/engine-restart/lane';
import { ROWS, type Course, type Row } from '../support/engine-restart/rows';
import { describeIf } from '../support/needs';

// The real engine goes and comes back at each stage of an update, a rollback and a restore, gracefully or by SIGKILL of its
// daemons and shims. Four containers with one restart policy each meet every restart at the same stage. Each writes to a
// volume, where it logs whether another process had its lock.

const POLICIES = ['always', 'unless-stopped', 'on-failure', 'no'];

describeIf(whyNoOtherEngine(), 'the engine restarted', () => {
  const stage = openStage();
  let engine: PrivateEngine;
  let lanes: Lane[];

  beforeAll(async () => {
    const { WRITER_1, WRITER_2, WRITER_2_BROKEN, WRITER_2_MIGRATES } = stage.lab.images;
    const beside = await besideLab(stage, [WRITER_1, WRITER_2, WRITER_2_BROKEN, WRITER_2_MIGRATES]);
    engine = beside.engine;
    lanes = await Promise.all(POLICIES.map((policy) => openLane(beside.stage, policy)));
  });

  describe.each(ROWS.map((row) => [row.title, row] as const))('%s', (_, row) => {
    let after: AfterRestart[];

    beforeAll(async () => {
      const held = await Promise.all(lanes.map((lane) => holdAt(lane, row)));
      await engine.end(row.end);
      await Promise.all(held.map((each) => each.reconnect()));
      await engine.begin();
      after = await Promise.all(held.map((each) => each.end()));
    });

    it.each(POLICIES.map((policy, lane) => [policy, lane] as const))('restart: %s', (policy, lane) => {
      expect(wrongWith(after[lane]!, row, policy)).toEqual([]);
    });
  });
});

const ENDS: Record<Course, { status: string | null; mails: RegExp[] }> = {
  update: { status: 'succeeded', mails: [/update available/] },
  rollback: { status: 'rolled_back', mails: [/update available/, /the old version is running/] },
  'restore after a rollback': { status: 'rolled_back', mails: [/update available/, /the old version is running/] },
  restore: { status: null, mails: [/restored/] },
};

/** One whole container, no second writer at any moment, the verdict, and one mail of it. */
function wrongWith(after: AfterRestart, row: Row, policy: string): string[] {
  if (!CANNOT_START.test(String(after.container['State']?.Error))) return wrongWithWhole(after, row, policy);
  const honest = after.update?.['status'] === 'rollback_failed' || /fail/.test(after.subjects.at(-1) ?? '');
  return honest && !after.log.includes('CONFLICT') ? [] : ['a container that the engine cannot start is reported'];
}

/** containerd, killed while it makes a task, leaves a folder, and then refuses to start that container (measured): only a person can help. */
const CANNOT_START = /failed to start shim: mkdir .*: file exists/;

function wrongWithWhole(after: AfterRestart, { course }: Row, policy: string): string[] {
  const { name, names, container, images, update, subjects, log } = after;
  const wrong: string[] = [];
  const must = (is: boolean, what: string): void => void (is || wrong.push(what));
  const { status, mails } = ENDS[course];
  must(names.join() === name, `containers: ${names.join(', ')}`);
  must(container['State']?.Running === true && !container['State'].Restarting, `it is ${container['State']?.Status}`);
  const seen = container['HostConfig']?.RestartPolicy;
  must(seen?.Name === policy && seen.MaximumRetryCount === 0, `restart policy ${JSON.stringify(seen)}`);
  const updated = course === 'update';
  must(container['Image'] === (updated ? images.wanted : images.old), 'the image of the verdict runs');
  must((container['Id'] !== after.oldId) === updated, updated ? 'a new container runs' : 'the old container runs');
  must(images.named === container['Image'], 'the tag names the image that runs');
  must(!log.includes('CONFLICT') && log.includes('starts'), `two writers, or none:\n${log}`);
  must(after.schema === '1' && !after.newer, `schema ${after.schema}, ${after.newer ? 'with' : 'without'} newer data`);
  must((update?.['status'] ?? null) === status, `status ${update?.['status']}: ${update?.['reason']}`);
  const running = (update?.['steps'] ?? []).filter((step: { status: string }) => step.status === 'running');
  must(running.length === 0, `steps run on: ${JSON.stringify(running)}`);
  const once = mails.every((mail) => subjects.filter((subject) => mail.test(subject)).length === 1);
  must(once && subjects.length === mails.length, `mails: ${subjects.join('; ')}`);
  return wrong;
}
