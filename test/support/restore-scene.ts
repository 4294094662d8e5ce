import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { requestBackups } from '../../src/backups/backup-queue';
import type { RestoreRecord } from '../../src/domain/backups/restore';
import { planOfRestore, requestRestore } from '../../src/restores/restore-queue';
import { readContainers } from '../../src/containers/read-containers';
import type { Call, FakeEngine, Method } from './fake-engine';
import { aDump, type Databases } from './fake-postgres';
import { runForge, type Forge, type ForgeOptions } from './forge-scene';
import type { Scene } from './scene';

export const FORGE = ['forge-db-1', 'forge-gitea-1', 'forge-runner-1', 'other-app-1'];

/** Databases and files, as they are to be found again: what is set aside is told apart. */
export interface DataSeen {
  databases: Databases;
  files: Record<string, string>;
}

/** A forge with a backup, whose data was then changed, and a restore that waits for its turn. */
export interface AskedRestore {
  forge: Forge;
  /** The next process, whose first call to the engine is the restore's. */
  scene: Scene;
  backedUp: DataSeen;
  changed: DataSeen;
}

/** `prepare`: before the backup. */
export async function askedRestore(
  options: ForgeOptions = {},
  prepare: (forge: Forge) => void = () => undefined,
): Promise<AskedRestore> {
  const forge = runForge({ paths: '/data/repo,/data/app.ini', ...options });
  prepare(forge);
  const { scene, databases } = forge;
  const files = scene.engine.files('forge-gitea-1');
  files.write('/data/app.ini', 'a = 1');
  files.write('/data/repo/deep/b.txt', 'b');
  const backedUp = dataOf(scene.engine, databases);
  requestBackups(
    { store: scene.store, containers: await readContainers(scene.engine, null) },
    { reason: 'operator', project: 'forge' },
  );
  await scene.settle();
  Object.assign(databases, { app: aDump('newer'), postgres: aDump('newer too') });
  files.write('/data/app.ini', 'a = 2');
  files.write('/data/repo/a.txt', 'newer');
  files.write('/data/repo/c.txt', 'only newer');
  const changed = dataOf(scene.engine, databases);
  requestRestore(scene.store, await planOfRestore(scene.deps, { backup: 'latest' }), {});
  return { forge, scene: nextProcess(scene), backedUp, changed };
}

/** On the same database file. */
export function nextProcess(died: Scene): Scene {
  return readsWhole(died.restart());
}

/** A dead process would leave the object open that it was reading, so each is read whole. */
export function readsWhole(scene: Scene): Scene {
  const { storage } = scene.deps;
  scene.deps.storage = { ...storage, get: async (key) => Readable.from(pieces(await buffer(await storage.get(key)))) };
  return scene;
}

function* pieces(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
}

/** Without what is set aside. */
export function dataOf(engine: FakeEngine, databases: Databases): DataSeen {
  return seen(engine, databases, (path) => !path.includes('.diun-pilot-'));
}

/** Only what is set aside from before a restore. */
export function keptOf(engine: FakeEngine, databases: Databases): DataSeen {
  return seen(engine, databases, (path) => path.includes('.diun-pilot-before-'));
}

/** Names of what only the way to a restore needs. */
export function leftovers(engine: FakeEngine, databases: Databases): string[] {
  const files = engine.files('forge-gitea-1');
  const all = [
    ...Object.keys(databases),
    ...files.folders('/data'),
    ...files.list('/data'),
    ...engine.containerNames(),
  ];
  return all.filter((path) => path.includes('.diun-pilot-restore-'));
}

/** What is true after one of these is true before it. */
const ONLY_LOOKS: Method[] = [
  'containerIds',
  'containers',
  'images',
  'inspectContainer',
  'inspectImage',
  'wait',
  'logs',
];

/** Numbers, from 1, of the calls that change something, from the one at `first` on. */
export function actsIn(calls: readonly Call[], first: number): number[] {
  const acts = ({ method, line }: Call): boolean => !ONLY_LOOKS.includes(method) && !STOPS_WHAT_ENDED.test(line);
  return calls.flatMap((call, i) => (i >= first && acts(call) ? [i + 1] : []));
}

const STOPS_WHAT_ENDED = /^stop .*\.diun-pilot-restore-/;

export function restoreOf(scene: Scene): RestoreRecord {
  return scene.store.restores.list(1)[0] as RestoreRecord;
}

function seen(engine: FakeEngine, databases: Databases, which: (path: string) => boolean): DataSeen {
  const files = engine.files('forge-gitea-1');
  return {
    databases: Object.fromEntries(Object.entries(databases).filter(([name]) => which(name))),
    files: Object.fromEntries(
      files
        .list('/data')
        .filter(which)
        .map((path) => [path, files.read(path)?.toString() ?? '']),
    ),
  };
}
