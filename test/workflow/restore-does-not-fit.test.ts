import { requestBackups } from '../../src/backups/backup-queue';
import { readContainers } from '../../src/containers/read-containers';
import { planOfRestore, rehearse, requestRestore } from '../../src/restores/restore-queue';
import { runForge, type Forge } from '../support/forge-scene';

// A set that is whole, yet cannot be put where it should go, is refused before anybody is stopped, and so is its dry run.

let forge: Forge;
afterEach(() => forge.scene.close());

async function backUp(): Promise<void> {
  const { store, engine } = forge.scene;
  requestBackups({ store, containers: await readContainers(engine, null) }, { reason: 'operator', project: 'forge' });
  await forge.scene.settle();
}

async function expectRefused(words: string): Promise<void> {
  const { deps, store, engine } = forge.scene;
  const plan = await planOfRestore(deps, { backup: 'latest' });
  const refusal = { code: 'restore_refused', message: expect.stringContaining(words) as string };
  await expect(rehearse(deps, plan, () => undefined)).rejects.toMatchObject(refusal);
  const { id } = requestRestore(store, plan, {});
  await forge.scene.settle();
  expect(store.restores.get(id)).toMatchObject({ status: 'failed', error: refusal });
  expect(engine.lines().filter((line) => line.startsWith('stop '))).toEqual([]);
}

/** The first bytes of a dump in the custom format (pg_backup_archiver.c, `WriteHead`). */
function headOfDump(version: string): Buffer {
  const number = Buffer.from([0, 0, 0, 0, 0]);
  const text = (words: string): Buffer => Buffer.concat([Buffer.from([0, words.length, 0, 0, 0]), Buffer.from(words)]);
  const start = [Buffer.from('PGDMP'), Buffer.from([1, 15, 0, 4, 8, 1, 0])];
  return Buffer.concat([...start, ...Array.from({ length: 7 }, () => number), text('app'), text(version)]);
}

/** What pg_restore 15 says of a dump of 17, measured; it does not know what is in it. */
const READS_NOTHING_NEWER = {
  'pg_restore -f /dev/null': ({ stdin }: { stdin: Buffer }) =>
    stdin.includes('17.2')
      ? { exitCode: 1, stderr: 'pg_restore: error: unsupported version (1.16) in file header' }
      : {},
};

it('into a server that is older than the one it was dumped from', async () => {
  forge = runForge();
  forge.databases.app = headOfDump('17.2 (Debian 17.2-1)');
  await backUp();
  Object.assign(forge.specs['postgres:15']?.scripts ?? {}, READS_NOTHING_NEWER);
  await expectRefused('was dumped from PostgreSQL 17, and forge-db-1 is PostgreSQL 15');
});

it('to a path in no volume, which the next update would lose', async () => {
  forge = runForge({ paths: '/opt/own' });
  forge.scene.engine.files('forge-gitea-1').write('/opt/own/a.txt', 'a');
  await backUp();
  await expectRefused('/opt/own of forge-gitea-1 is in no volume');
});

const TAIL = '--\n-- PostgreSQL database cluster dump complete\n--\n';

it.each([
  ['a statement about roles that pg_dumpall does not write', 'DROP ROLE postgres;\n', 'DROP ROLE postgres'],
  [
    'a tablespace that the server does not have',
    "CREATE TABLESPACE fast OWNER app LOCATION '/fast';\n",
    'forge-db-1 has no tablespace fast',
  ],
])('with %s', async (_, statement, words) => {
  forge = runForge();
  Object.assign(forge.specs['postgres:15']?.scripts ?? {}, { 'pg_dumpall *': { stdout: `${statement}${TAIL}` } });
  await backUp();
  await expectRefused(words);
});
