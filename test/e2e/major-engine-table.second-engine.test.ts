import { whyNoOtherEngine } from '../lab/engine/other-engine';
import type { EngineEnd, PrivateEngine } from '../lab/engine/private-engine';
import { ON_THE_WAY_BACK_TO_15, ON_THE_WAY_TO_17 } from '../support/e2e-major-crashes';
import {
  holdMajor,
  openMajorLane,
  wrongWithMajor,
  type AfterMajorCrash,
  type MajorCrash,
  type MajorLane,
} from '../support/e2e-major-lane';
import { besideLab } from '../support/e2e-other-engine';
import { openStage, type Stage } from '../support/e2e-stage';
import { EXHAUSTIVE, someOf } from '../support/exhaustive';
import { describeIf } from '../support/needs';

// The engine ends and comes back in every step of the move of a real server from PostgreSQL 15 to 17, and on the way back: gracefully
// or by SIGKILL of its daemons and shims. diun-pilot runs on. Two moves meet each restart, each with a diun-pilot of its own.

const LANES = 2;
const CRASHES = someOf([...ON_THE_WAY_BACK_TO_15, ...ON_THE_WAY_TO_17], 26);
const ENDS: EngineEnd[] = EXHAUSTIVE ? ['SIGKILL', 'SIGTERM'] : ['SIGKILL'];

interface Round {
  end: EngineEnd;
  crashes: MajorCrash[];
}

const ROUNDS: Round[] = ENDS.flatMap((end) =>
  Array.from({ length: Math.ceil(CRASHES.length / LANES) }, (_, round) => ({
    end,
    crashes: CRASHES.slice(round * LANES, (round + 1) * LANES),
  })),
);
const titleOf = ({ end, crashes }: Round): string => `${end}: ${crashes.map(({ title }) => title).join('; ')}`;

describeIf(whyNoOtherEngine(), 'the engine restarted during the move to a new PostgreSQL major', () => {
  const stage = openStage();
  let engine: PrivateEngine;
  let other: Stage;
  let lanes: MajorLane[];

  beforeAll(async () => {
    const { POSTGRES_15, POSTGRES_17, APP_1 } = stage.lab.images;
    ({ engine, stage: other } = await besideLab(stage, [POSTGRES_15, POSTGRES_17, APP_1]));
    const names = Array.from({ length: LANES }, (_, lane) => `major-engine-${lane}`);
    lanes = await Promise.all(names.map((name) => openMajorLane(other, name)));
  }, 900_000);

  describe.each(ROUNDS.map((round) => [titleOf(round), round] as const))('%s', (_, { end, crashes }) => {
    let seen: (AfterMajorCrash | Error)[];

    beforeAll(async () => {
      seen = await restartedAt(engine, lanes, crashes, end);
    }, 900_000);

    it.each(crashes.map((crash, lane) => [crash.title, crash, lane] as const))('%s', (__, crash, lane) => {
      const after = seen[lane];
      if (!after || after instanceof Error) throw after ?? new Error('its lane did not run');
      expect([after.step, after.update['status']]).toEqual([crash.step, crash.ends]);
      expect(wrongWithMajor(after)).toEqual([]);
    });

    it('nothing is left on the engine but what the projects made', async () => {
      expect(await strangers(other, lanes)).toEqual([]);
    });
  });
});

/** What became of each lane; one that did not come to its call is no reason for the other one not to go on. */
async function restartedAt(
  engine: PrivateEngine,
  lanes: readonly MajorLane[],
  crashes: readonly MajorCrash[],
  end: EngineEnd,
): Promise<(AfterMajorCrash | Error)[]> {
  const taking = lanes.slice(0, crashes.length);
  const held = await Promise.all(taking.map((lane, i) => holdMajor(lane, crashes[i]!).catch((error: Error) => error)));
  await engine.end(end);
  for (const { proxy } of taking) {
    await proxy.cut();
    await proxy.mend();
  }
  await engine.begin();
  return Promise.all(
    held.map(async (each) => (each instanceof Error ? each : each.end().catch((error: Error) => error))),
  );
}

/** Containers, volumes and networks of no project, volumes without a name among them. */
async function strangers({ lab }: Stage, lanes: readonly MajorLane[]): Promise<string[]> {
  const lists = [
    ['ps', '--all', '--format', '{{.Names}}'],
    ['volume', 'ls', '--format', '{{.Name}}'],
    ['network', 'ls', '--filter', 'type=custom', '--format', '{{.Name}}'],
  ];
  const all = (await Promise.all(lists.map((list) => lab.docker.lines(list)))).flat();
  return all.filter((name) => !lanes.some(({ project }) => name.startsWith(project.name)));
}
