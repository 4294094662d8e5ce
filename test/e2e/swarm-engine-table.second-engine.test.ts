import { whyNoOtherEngine } from '../lab/engine/other-engine';
import { openStage } from '../support/e2e-stage';
import { someOf } from '../support/exhaustive';
import { describeIf } from '../support/needs';
import { STAGES, type RolloutMoment } from '../support/swarm/e2e-rollout-crashes';
import {
  openRolloutLane,
  wrongWithRollout,
  type AfterRollout,
  type RolloutLane,
} from '../support/swarm/e2e-rollout-lane';
import { openSwarm, type SwarmStage } from '../support/swarm/e2e-swarm';

// The engine of the manager ends and comes back at each stage of a rollout, gracefully or by SIGKILL of its daemons and shims.
// One service for each stage, each with a diun-pilot of its own, meets the same restart.

const ENDS = ['SIGTERM', 'SIGKILL'] as const;
const ROWS = someOf(STAGES, 8);

describeIf(whyNoOtherEngine(), 'the engine restarted during the rollout of a service', () => {
  const stage = openStage();
  let swarm: SwarmStage;
  const lanes = new Map<RolloutMoment, RolloutLane>();

  beforeAll(async () => {
    swarm = await openSwarm(stage);
    for (const [index, row] of ROWS.entries())
      lanes.set(row, await openRolloutLane(swarm, `stage-${index}`, row.course));
  }, 600_000);

  describe.each(ENDS)('%s', (end) => {
    const seen = new Map<RolloutMoment, AfterRollout>();

    beforeAll(async () => {
      const held = await Promise.all([...lanes].map(async ([row, lane]) => ({ row, stopped: await lane.holdAt(row) })));
      await Promise.all(held.map(({ stopped }) => stopped.mustBeOpen()));
      await swarm.engine.end(end);
      await Promise.all(held.map(({ stopped }) => stopped.reconnect()));
      await swarm.engine.begin();
      for (const { row, after } of await Promise.all(
        held.map(async ({ row, stopped }) => ({ row, after: await stopped.end() })),
      ))
        seen.set(row, after);
    }, 1_200_000);

    it.each(ROWS.map((row) => [row.title, row] as const))('%s', (_, row) => {
      expect(wrongWithRollout(seen.get(row)!, row.course)).toEqual([]);
    });
  });
});
