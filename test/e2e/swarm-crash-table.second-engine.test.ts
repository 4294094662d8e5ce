import { whyNoOtherEngine } from '../lab/engine/other-engine';
import { openStage } from '../support/e2e-stage';
import { someOf } from '../support/exhaustive';
import { describeIf } from '../support/needs';
import { CRASHES, type Course, type RolloutMoment } from '../support/swarm/e2e-rollout-crashes';
import { openRolloutLane, wrongWithRollout, type AfterRollout } from '../support/swarm/e2e-rollout-lane';
import { openSwarm, type SwarmStage } from '../support/swarm/e2e-swarm';

// SIGKILL of diun-pilot at each kind of call that the rollout of a service makes to a real engine, and a start on the same data.
// Swarm goes on meanwhile. The crashes are independent: some go on at once, and each row is one of them.

/** At most six updates of one service: more announcements within an hour would come as one summary. */
const MOST_IN_LANE = 5;
const ROWS = someOf(CRASHES, 9);

describeIf(whyNoOtherEngine(), 'diun-pilot killed during the rollout of a service', () => {
  const stage = openStage();
  const seen = new Map<RolloutMoment, AfterRollout | Error>();

  beforeAll(async () => {
    const swarm = await openSwarm(stage);
    const lanes = [...new Set(CRASHES.map(({ course }) => course))].flatMap((course) =>
      inLanes(ROWS.filter((row) => row.course === course)).map((rows) => ({ course, rows })),
    );
    await Promise.all(lanes.map(({ course, rows }, lane) => runLane(swarm, `lane-${lane}`, course, rows)));
  }, 3_600_000);

  /** An error ends its lane: the rows after it in that lane are missing. */
  async function runLane(swarm: SwarmStage, name: string, course: Course, rows: RolloutMoment[]): Promise<void> {
    const lane = await openRolloutLane(swarm, name, course);
    for (const row of rows) {
      const after = await lane.killedAt(row).catch((error: Error) => error);
      seen.set(row, after);
      if (after instanceof Error) return;
    }
  }

  it.each(ROWS.map((row) => [row.title, row] as const))('%s', (_, row) => {
    const after = seen.get(row) ?? new Error('not run, since one before it in its lane went wrong');
    if (after instanceof Error) throw after;
    expect(wrongWithRollout(after, row.course)).toEqual([]);
  });
});

function inLanes(rows: RolloutMoment[]): RolloutMoment[][] {
  const count = Math.ceil(rows.length / MOST_IN_LANE);
  return Array.from({ length: count }, (_, lane) => rows.filter((_row, index) => index % count === lane));
}
