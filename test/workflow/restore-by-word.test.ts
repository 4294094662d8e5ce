import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import { runForge, type Forge } from '../support/forge-scene';

// The new version has migrated the data, and the old one refuses it. By itself a backup is put back only where nobody can
// have written since it was taken; else it is offered by the mail, and nothing is put over anybody's rows.

let forge: Forge;
const files = () => forge.scene.engine.files('forge-gitea-1');
const stepNames = (): string[] => forge.scene.updates()[0]?.steps.map(({ name }) => name) ?? [];

/** `exitCode`: how the new version's health is answered. */
function publishMigrating(exitCode: number): void {
  const old = forge.specs['gitea:1']?.scripts as Scripts;
  const shell = { ...old };
  old['reads-data'] = (call: CommandCall) => ({ exitCode: String(call.files.read('/data/schema')) === '1' ? 0 : 1 });
  const migrates = (call: CommandCall): Outcome => {
    call.files.write('/data/schema', '2');
    return { exitCode };
  };
  forge.scene.engine.publish('gitea:1', { ...forge.specs['gitea:1'], scripts: { ...shell, 'reads-data': migrates } });
}

beforeEach(() => {
  forge = runForge({ labels: { 'update.probe': 'exec:reads-data', 'update.probe.timeout': '5s' } });
  files().write('/data/schema', '1');
});
afterEach(() => forge.scene.close());

function expectOffered(): void {
  const [update] = forge.scene.updates();
  expect(update).toMatchObject({ status: 'rollback_failed', error: { code: 'rollback_failed' } });
  expect(stepNames()).not.toContain('restore');
  expect(String(files().read('/data/schema'))).toBe('2');
  const mail = forge.scene.mails().at(-1);
  expect(mail?.kind).toBe('update_failed');
  expect(mail?.text).toMatch(new RegExp(`https://pilot\\.example/approvals/${update?.id}\\.`));
  expect(mail?.text).toContain(`diun-pilot restore ${update?.backupId}`);
}

it('is offered where somebody who writes could not be stopped for the backup', async () => {
  const { engine } = forge.scene;
  const labels = { ...forge.inProject, 'com.docker.compose.depends_on': 'db:service_started:false' };
  engine.runContainer({
    name: 'forge-job-1',
    image: 'runner:1',
    restart: 'no',
    labels,
    hostConfig: { AutoRemove: true },
  });
  publishMigrating(1);
  await forge.update('forge-gitea-1');
  expect(forge.scene.store.backups.list(1)[0]).toMatchObject({ status: 'succeeded', quiesced: false });
  expectOffered();
});

it('is offered where those that write were started again before it was rolled back', async () => {
  const { engine } = forge.scene;
  publishMigrating(0);
  engine.onCall(
    'start',
    ({ line }) => {
      if (line === 'start forge-runner-1') engine.host.stop(engine.host.find(engine.container('forge-runner-1').Id), 1);
    },
    { when: 'after' },
  );
  await forge.update('forge-gitea-1');
  expect(forge.scene.store.backups.list(1)[0]).toMatchObject({ status: 'succeeded', quiesced: true });
  expectOffered();
});
