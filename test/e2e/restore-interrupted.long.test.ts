import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { runPilot, startPilotCommand } from '../support/e2e-cli';
import { engineProxy, type EngineProxy } from '../support/e2e-engine-proxy';
import { namesOf, openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';

// A restore that an operator asked for, on a real PostgreSQL: refused in its middle, and with the service, or the command alone, killed in its middle.
const stage = openStage();
let shop: ComposeProject;
let app: ReturnType<typeof appOf>;
let dataDir: string;
let proxy: EngineProxy;
let pilot: Pilot;

const ASIDE = "SELECT count(*) FROM pg_database WHERE datname LIKE '%diun-pilot%'";
const EXTENSIONS = '/usr/share/postgresql/15/extension';
const restore = () => runPilot(stage.lab, dataDir, ['restore', 'latest', '--yes'], { DOCKER_HOST: proxy.dockerHost });
const onServer = (script: string) => shop.compose(['exec', '-T', '-u', '0', 'db', 'sh', '-c', script]);
const toldRestored = async () => (await pilot.mails()).filter(({ subject }) => subject?.includes('restored, all'));
const names = async () => (await app.items()).map(({ name }) => name);

beforeAll(async () => {
  const { lab } = stage;
  shop = await stage.project('interrupted', appServices(lab, lab.images.APP_1), { top: APP_VOLUMES });
  app = appOf(shop);
  dataDir = lab.scratch('pilot-data');
  proxy = engineProxy((await stage.seeing(shop.name)).lab);
  await proxy.mend();
  stage.closing(() => proxy.cut());
  await app.ready();
  await app.keep('erste');
  await onServer('psql -XAt -U app -d postgres -c "CREATE EXTENSION hstore"');
  expect((await runPilot(lab, dataDir, ['backup', '--project', shop.name])).code).toBe(0);
  await app.keep('zweite');
  pilot = await stage.pilot({ dataDir, env: { DOCKER_HOST: proxy.dockerHost } });
});

it('puts everything back when the second database cannot be restored: the data from before, all healthy, told', async () => {
  await onServer(`mv ${EXTENSIONS}/hstore.control /tmp/`);
  const { code, stdout } = await restore();
  await onServer(`mv /tmp/hstore.control ${EXTENSIONS}/`);
  expect([code, stdout]).toEqual([1, expect.stringMatching(/postgres of .* could not be restored: [\s\S]*hstore/)]);
  expect(stdout).toMatch(/The previous data is in place. Started again and healthy/);
  await app.ready();
  expect(await names()).toEqual(['erste', 'zweite']);
  expect([await app.sql(ASIDE), await app.sh('ls -A /data | grep -c diun-pilot || true')]).toEqual(['0', '0']);
  expect(await namesOf(stage.lab, shop)).toHaveLength(2);
  const toldFailed = async () => (await pilot.mails()).filter(({ subject }) => subject?.includes('restore failed'));
  // The service sends it; the command does not wait for that.
  await eventually('its failure is told', async () => (await toldFailed()).length > 0);
  expect(await toldFailed()).toHaveLength(1);
});

const UNPACK = /^PUT \/containers\/[^/]+\/archive/;
const ONE_OFF = /^POST \/containers\/create\?name=[^&]*\.diun-pilot-restore-/;
const START = /^POST \/containers\/[^/]+\/start/;
const EXEC = /^POST \/exec/;

it.each([
  ['while the files change places', [UNPACK, ONE_OFF, START]],
  ['when the databases have changed places', [UNPACK, ONE_OFF, EXEC, EXEC, EXEC]],
])('SIGKILL of the service %s: started again, it brings the restore to its end', async (_, calls) => {
  await app.keep('neuere');
  const held = proxy.hold({ calls, when: 'after' });
  const restored = restore();
  await held;
  await pilot.kill('SIGKILL');
  await pilot.start();
  // Whoever is first takes it up: the service, or the command that followed it.
  const { code, stdout } = await restored;
  expect([code, stdout]).toEqual([0, expect.stringContaining('All containers that use it are healthy')]);
  await restoredWhole();
});

it('SIGKILL of the command that restores where no service runs: the service, once started, brings it to its end', async () => {
  await app.keep('neuere');
  const told = (await toldRestored()).length;
  await pilot.stop();
  const held = proxy.hold({ calls: [UNPACK, ONE_OFF, START], when: 'after' });
  const command = startPilotCommand(stage.lab, dataDir, ['restore', 'latest', '--yes'], proxy.dockerHost);
  await held;
  await command.stop('SIGKILL');
  await pilot.start();
  await eventually('its end is told', async () => (await toldRestored()).length > told);
  await restoredWhole();
});

async function restoredWhole(): Promise<void> {
  await app.ready();
  expect(await names()).toEqual(['erste']);
  expect(await app.sh('cat /data/.diun-pilot-before-*/files/* | grep -c neuere')).not.toBe('0');
  expect(await namesOf(stage.lab, shop)).toHaveLength(2);
}
