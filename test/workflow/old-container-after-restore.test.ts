import { fakePostgres } from '../support/fake-postgres';
import { runForge, type Forge } from '../support/forge-scene';
import { FORGE, readsWhole } from '../support/restore-scene';

// A restore stops those that write to the data and asks their health. The old container is not always one of them.

let forge: Forge;
afterEach(() => forge.scene.close());
const running = (): string[] =>
  forge.scene.engine.containerNames().filter((name) => forge.scene.engine.isRunning(name));
const last = () => forge.scene.updates().at(-1);

it('a database server that still fails its probe after the restore is not reported as healthy, and those that use it run', async () => {
  let broken = false;
  const { scripts, ...image } = fakePostgres();
  const probed = { ...scripts, 'is-well': () => (broken ? { exitCode: 1, stderr: 'replica lags' } : {}) };
  const postgres = { ...image, scripts: probed };
  forge = runForge({ postgres, dbLabels: { 'update.probe': 'exec:is-well', 'update.probe.timeout': '5s' } });
  const { engine } = readsWhole(forge.scene);
  const { Id } = engine.container('forge-db-1');
  engine.publish('postgres:15', postgres);
  engine.onCall('createContainer', () => void (broken = true));
  await forge.update('forge-db-1');
  expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'rollback_failed' } });
  expect(last()?.steps.slice(-2)).toMatchObject([
    { name: 'restore', status: 'succeeded' },
    { name: 'restore_health_check', status: 'failed', detail: expect.stringContaining('replica lags') },
  ]);
  expect(running()).toEqual(FORGE);
  expect(engine.container('forge-db-1').Id).toBe(Id);
});
