import { ON_THE_WAY_BACK_TO_15, ON_THE_WAY_TO_17 } from '../support/e2e-major-crashes';
import { openMajorLane, runMajorLane, wrongWithMajor, type SeenMajors } from '../support/e2e-major-lane';
import { openStage } from '../support/e2e-stage';
import { someOf } from '../support/exhaustive';

// SIGKILL of the real process in every step of the move of a real server from PostgreSQL 15 to 17, and on the way back, and a
// start on the same data. Every row starts from the same rehearsed update.

const stage = openStage();
const LANES = 2;
const crashes = [...someOf(ON_THE_WAY_TO_17, 9), ...someOf(ON_THE_WAY_BACK_TO_15, 9)];
const seen: SeenMajors = new Map();

beforeAll(async () => {
  const run = async (lane: number): Promise<void> =>
    runMajorLane(
      await openMajorLane(stage, `major-${lane}`),
      crashes.filter((_, i) => i % LANES === lane),
      seen,
    );
  await Promise.all(Array.from({ length: LANES }, (_, lane) => run(lane)));
}, 3_600_000);

test.each(crashes.map((crash) => [crash.title, crash] as const))('killed in %s', (_, crash) => {
  const after = seen.get(crash);
  if (after === undefined) throw new Error('not run, since one before it in its lane went wrong');
  if (after instanceof Error) throw after;
  expect([after.step, after.update['status']]).toEqual([crash.step, crash.ends]);
  expect(wrongWithMajor(after)).toEqual([]);
});
