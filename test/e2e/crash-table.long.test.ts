import { runCrashLane, type AfterCrash, type Seen } from '../support/e2e-crash-lane';
import { crashes, ON_THE_WAY, ON_THE_WAY_BACK, type Crash } from '../support/e2e-crashes';
import { openStage } from '../support/e2e-stage';
import { someOf } from '../support/exhaustive';

// SIGKILL of the real process on both sides of every call by which an update changes something on a real engine, and a
// start on the same data. The crashes are independent: some go on at once, and each row below is one of them.

const stage = openStage();
/** At most six updates of one container: more announcements within an hour would come as one summary. */
const HEALTHY_LANES = 5;
const UNHEALTHY_LANES = 2;
const onTheWay = someOf(crashes(ON_THE_WAY, 'succeeded'), 3);
const onTheWayBack = someOf(crashes(ON_THE_WAY_BACK, 'rolled_back'), 3);
const seen: Seen = new Map();

beforeAll(async () => {
  await Promise.all([
    ...inLanes(onTheWay, HEALTHY_LANES).map((some, lane) => runCrashLane(stage, `healthy-${lane}`, some, seen)),
    ...inLanes(onTheWayBack, UNHEALTHY_LANES).map((some, lane) => runCrashLane(stage, `unhealthy-${lane}`, some, seen)),
  ]);
}, 1_800_000);

function inLanes(all: Crash[], lanes: number): Crash[][] {
  return Array.from({ length: lanes }, (_, lane) => all.filter((_crash, i) => i % lanes === lane));
}

function afterCrash(crash: Crash): AfterCrash {
  const after = seen.get(crash);
  if (after === undefined) throw new Error('not run, since one before it in its lane went wrong');
  if (after instanceof Error) throw after;
  return after;
}

/** What must be true after every crash, whatever the verdict. */
function expectWhole({ names, name, container, images, update }: AfterCrash): void {
  expect(names).toEqual([name]);
  expect(container['State'].Running).toBe(true);
  expect(images.named).toBe(container['Image']);
  expect(container['Config'].Image).toBe(update['to'].reference);
  expect(Object.keys(container['NetworkSettings'].Networks)).toHaveLength(2);
  expect((update['steps'] as { status: string }[]).map(({ status }) => status)).not.toContain('running');
}

describe('an update to a healthy image, killed', () => {
  it.each(onTheWay.map((crash) => [crash.title, crash] as const))('%s: is finished', (_, crash) => {
    const after = afterCrash(crash);
    expectWhole(after);
    expect(after.update).toMatchObject({ status: 'succeeded', error: null });
    expect(after.container['Image']).toBe(after.images.wanted);
    expect(after.container['Id']).not.toBe(after.oldId);
    expect(after.page).toMatch(/^good-/);
    expect(new Set(after.mails.map(({ subject }) => subject)).size).toBe(1);
    expect(after.mails[0]?.subject).toContain('update available');
  });
});

describe('an update to an unhealthy image, killed', () => {
  it.each(onTheWayBack.map((crash) => [crash.title, crash] as const))('%s: is rolled back', (_, crash) => {
    const after = afterCrash(crash);
    expectWhole(after);
    expect(after.update).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect([after.container['Id'], after.container['Image']]).toEqual([after.oldId, after.images.old]);
    expect(after.page).toMatch(/^good-1 /);
    const failed = after.mails.filter(({ subject }) => subject.includes('rolled back'));
    expect(failed).toEqual([
      expect.objectContaining({ subject: expect.stringContaining('the old version is running') }),
    ]);
    expect(new Set(after.mails.map(({ id }) => id)).size).toBe(2);
  });
});
