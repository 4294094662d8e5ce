import type { CommandCall, Outcome, Scripts } from './fake-engine-types';
import { aDump } from './fake-postgres';
import { runForge, type Forge, type ForgeOptions } from './forge-scene';
import { dataOf, readsWhole, type DataSeen } from './restore-scene';

export interface Migrating {
  forge: Forge;
  before: DataSeen;
  ids: { container: string; image: string };
}

/** The update that is asked for changes rows and files and then never works; the old version refuses what it finds. */
export async function migratingForge(options: ForgeOptions = {}): Promise<Migrating> {
  const forge = runForge({ ...options, labels: { 'update.probe': 'exec:reads-data', 'update.probe.timeout': '5s' } });
  const { engine } = readsWhole(forge.scene);
  engine.files('forge-gitea-1').write('/data/schema', '1');
  const old = forge.specs['gitea:1']?.scripts as Scripts;
  const shell = { ...old };
  old['reads-data'] = ({ files }: CommandCall) => ({ exitCode: String(files.read('/data/schema')) === '1' ? 0 : 1 });
  const before = dataOf(engine, forge.databases);
  const migrates = ({ files }: CommandCall): Outcome => {
    files.write('/data/schema', '2');
    files.write('/data/repo/new.txt', 'new');
    forge.databases.app = aDump('migrated');
    return { exitCode: 1, stderr: 'never works' };
  };
  engine.publish('gitea:1', { ...forge.specs['gitea:1'], scripts: { ...shell, 'reads-data': migrates } });
  const { Id, Image } = engine.container('forge-gitea-1');
  await forge.request('forge-gitea-1');
  return { forge, before, ids: { container: Id, image: Image } };
}
