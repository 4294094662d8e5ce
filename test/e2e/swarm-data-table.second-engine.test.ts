import { whyNoOtherEngine } from '../lab/engine/other-engine';
import type { EngineEnd } from '../lab/engine/private-engine';
import type { Moment } from '../support/e2e-engine-proxy';
import { openStage } from '../support/e2e-stage';
import { endOf } from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { someOf } from '../support/exhaustive';
import { describeIf } from '../support/needs';
import { openAppStage, type AppStage } from '../support/swarm/e2e-app-stage';

// A service with data whose new version migrates and fails, interrupted: whatever ends in its middle, the old version runs on the
// data from before, with its replicas, and one mail says so.

const UPDATE = /^POST \/services\/[^/]+\/update/;
const READ = /^GET \/containers\/[^/]+\/archive/;
const UNPACK = /^PUT \/containers\/[^/]+\/archive/;

const STOPS: (Moment & { stage: string })[] = [
  { stage: 'after it was scaled to 0', calls: [UPDATE], when: 'after' },
  { stage: 'while its files are read', calls: [UPDATE, READ], when: 'before' },
  { stage: 'after the new image was requested', calls: [UPDATE, UPDATE], when: 'after' },
  { stage: 'before its files are unpacked', calls: [UPDATE, UPDATE, UPDATE, UNPACK], when: 'before' },
];

type What = 'diun-pilot' | EngineEnd;
const ROWS = STOPS.flatMap((stop) =>
  (['diun-pilot', 'SIGKILL', 'SIGTERM'] as const).map((what): [string, What, Moment] => [
    `${stop.stage}: ${what === 'diun-pilot' ? 'SIGKILL of diun-pilot' : `${what} of the engine`}`,
    what,
    stop,
  ]),
);

describeIf(whyNoOtherEngine(), 'a service with data, interrupted in its rollback', () => {
  const stage = openStage();
  let app: AppStage;

  beforeAll(async () => {
    app = await openAppStage(stage);
    await app.stack.publish('app', 'APP_2_BROKEN');
  }, 300_000);

  const INTERRUPT: Record<'diun-pilot' | 'engine', (how: EngineEnd) => Promise<void>> = {
    'diun-pilot': async () => {
      await app.pilot.kill('SIGKILL');
      await app.pilot.start();
    },
    engine: async (how) => {
      await app.swarm.engine.end(how);
      await app.proxy.cut();
      await app.proxy.mend();
      await app.swarm.engine.begin();
    },
  };

  it.each(someOf(ROWS, 4))('%s: the same end, one mail', async (_, what, moment) => {
    const { pilot, proxy, stack } = app;
    const before = await app.whole();
    const held = proxy.hold(moment);
    const id = await app.ask(stack.names.app);
    await held;
    await (what === 'diun-pilot' ? INTERRUPT['diun-pilot']('SIGKILL') : INTERRUPT.engine(what));
    expect(await endOf(pilot, id, 300_000)).toMatchObject({ status: 'rolled_back' });
    expect(await app.whole()).toEqual(before);
    const mailed = async (): Promise<boolean> =>
      (await pilot.mails()).filter(({ text }) => text?.includes(id)).length === 1;
    await eventually('its mail arrives', mailed);
  });
});
