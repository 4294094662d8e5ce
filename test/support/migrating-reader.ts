import { aDump, type FakeSchema } from './fake-postgres';
import type { Outcome } from './fake-engine-types';
import { runForge, type Forge } from './forge-scene';
import { FORGE } from './restore-scene';

const OLD: FakeSchema = { version: '114', tables: ['entries', 'feeds'] };
const NEW: FakeSchema = { version: '135', tables: ['entries', 'feeds', 'icons', 'jobs', 'tokens'] };

export const CHANGED = 'database app of forge-db-1: schema_version 114 → 135, 3 tables added (icons, jobs, tokens)';
export const READER = 'forge-reader-1';
export const ALL_WITH_READER = [...FORGE.slice(0, 2), READER, ...FORGE.slice(2)];

/**
 * A forge with an app that has no files and depends on the database. Its new version migrates and then `works` or not; the
 * old one only pings, so that it is healthy on either schema.
 */
export function migratingReader(works: boolean, labels: Record<string, string> = {}): Forge {
  const forge = runForge();
  const { engine } = forge.scene;
  forge.databases.app = aDump('app', OLD);
  engine.addImage({ reference: 'reader:1', scripts: { ping: {} } });
  engine.runContainer({
    name: READER,
    image: 'reader:1',
    labels: {
      ...forge.watched,
      ...forge.inProject,
      'com.docker.compose.service': 'reader',
      'com.docker.compose.depends_on': 'db:service_healthy:true',
      'update.probe': 'exec:ping',
      'update.probe.timeout': '5s',
      ...labels,
    },
  });
  const ping = (): Outcome => {
    forge.databases.app = aDump('app', NEW);
    return works ? {} : { exitCode: 1, stderr: 'panic: no such icon' };
  };
  engine.publish('reader:1', { scripts: { ping } });
  return forge;
}

/** What the table `schema_version` says. */
export function versionIn({ databases }: Forge): string {
  return (JSON.parse(databases.app?.toString('latin1').split('\n')[1] ?? '{}') as FakeSchema).version;
}
