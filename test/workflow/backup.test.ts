import { membersOf } from '../../src/domain/backups/backup';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Container } from '../../src/domain/container';
import { EngineError, StorageError } from '../../src/domain/errors';
import type { BackupStorage } from '../../src/ports/backup-storage';
import { listBackupSets } from '../../src/backups/manifest';
import { takeBackup } from '../../src/backups/take-backup';
import { readContainers } from '../../src/containers/read-containers';
import { damagingStorage, type Damage } from '../support/damaging-storage';
import { aDump, fakePostgres } from '../support/fake-postgres';
import { memoryStorage } from '../support/memory-storage';
import { openScene, type Scene } from '../support/scene';

let scene: Scene;
let storage: ReturnType<typeof memoryStorage>;

beforeEach(() => {
  scene = openScene();
  storage = memoryStorage();
});
afterEach(() => scene.close());

const inProject = { 'com.docker.compose.project': 'forge' };

function runPostgres(databases?: Record<string, Buffer>, stopped = false): void {
  scene.engine.addImage({ reference: 'postgres:15', ...fakePostgres(databases) });
  const labels = { ...inProject, 'backup.kind': 'postgres' };
  const env = ['POSTGRES_USER=forge', 'POSTGRES_DB=app', 'POSTGRES_PASSWORD=hunter2'];
  scene.engine.runContainer({ name: 'forge-postgres-1', image: 'postgres:15', labels, env, stopped });
}

function runGitea(paths = '/data'): void {
  scene.engine.addImage({
    reference: 'gitea/gitea:1.24',
    files: { '/data/a.txt': 'a', '/data/repo/b': 'b'.repeat(1e5) },
  });
  const labels = { ...inProject, 'backup.kind': 'files', 'backup.paths': paths };
  scene.engine.runContainer({ name: 'forge-gitea-1', image: 'gitea/gitea:1.24', labels });
}

async function backUp(into: BackupStorage = storage, failed: string[] = []): ReturnType<typeof takeBackup> {
  const members: Container[] = membersOf(
    { project: 'forge', container: null },
    await readContainers(scene.engine, null),
  );
  const place = { project: 'forge', container: null };
  const record = scene.store.backups.insert({ ...place, reason: 'operator', updateId: null });
  const onFailed = ({ error }: { error: { code: string } | null }): void => void failed.push(error?.code ?? 'none');
  const deps = { ...scene.deps, storage: into, onProgress: () => undefined, onFailed };
  return takeBackup(deps, { record, members, quiesced: false });
}

describe('a backup that succeeds', () => {
  it('holds roles, every database and every path, each read back, and the manifest last', async () => {
    const written: string[] = [];
    const observed = {
      ...storage,
      put: (...args: Parameters<BackupStorage['put']>) => (written.push(args[0]), storage.put(...args)),
    };
    runPostgres();
    runGitea('/data,/data/repo');
    const record = await backUp(observed);

    expect(record).toMatchObject({ status: 'succeeded', project: 'forge', error: null });
    expect(
      record.items.map(({ container, kind, name, compression, verified }) => [
        container,
        kind,
        name,
        compression,
        verified,
      ]),
    ).toEqual([
      ['forge-postgres-1', 'globals', 'globals', 'gzip', 'ends as pg_dumpall ends'],
      ['forge-postgres-1', 'database', 'app', 'none', 'pg_restore read it to its end'],
      ['forge-postgres-1', 'database', 'postgres', 'none', 'pg_restore read it to its end'],
      ['forge-gitea-1', 'files', '/data', 'gzip', '4 entries'],
      ['forge-gitea-1', 'files', '/data/repo', 'gzip', '2 entries'],
    ]);
    expect(written.at(-1)).toMatch(/\/manifest\.json$/);
    expect(written.slice(0, -1)).toEqual(record.items.map(({ key }) => key));
    expect(record.bytes).toBe(record.items.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(record.url).toMatch(/^memory:\/\/\/forge\/\d{8}T\d{6}Z-/);
  });

  it('leaves out what docker compose run left behind of the database server', async () => {
    runPostgres();
    const labels = { ...inProject, 'backup.kind': 'postgres', 'com.docker.compose.oneoff': 'True' };
    scene.engine.runContainer({ name: 'forge-postgres-run-1', image: 'postgres:15', labels, stopped: true });
    const record = await backUp();
    expect(record).toMatchObject({ status: 'succeeded' });
    expect(new Set(record.items.map(({ container }) => container))).toEqual(new Set(['forge-postgres-1']));
  });

  it('is found again by its manifest alone, as on a fresh host', async () => {
    runGitea();
    const record = await backUp();
    const sets = await listBackupSets(storage, []);
    expect(sets).toHaveLength(1);
    expect(sets[0]).toMatchObject({ problem: null, url: record.url, manifest: { id: record.id, items: record.items } });
  });

  it('asks PostgreSQL as its own user, by names that cannot be taken for connection strings', async () => {
    const awkward = `it's=a\\test`;
    runPostgres({ [awkward]: aDump('awkward') });
    const record = await backUp();
    expect(record.items.map(({ name }) => name)).toEqual(['globals', awkward]);
    const dump = scene.engine.transcript.find(({ line }) => line.includes('pg_dump -w'));
    const how = ['-Fc', '-Z1', '--lock-wait-timeout=300000'];
    expect(dump?.args[1]).toEqual(['pg_dump', '-w', '-U', 'forge', ...how, '-d', `dbname='it\\'s=a\\\\test'`]);
    expect(JSON.stringify(scene.engine.transcript)).not.toContain('hunter2');
  });

  it('reads one item back while the next is written, and says so before the manifest', async () => {
    runPostgres();
    runGitea();
    const order: string[] = [];
    const named = (key: string): string => (key.split('/').at(-1) ?? '').replace(/^\d+-/, '');
    let readBack = (): void => undefined;
    const secondIsRead = new Promise<void>((resolve) => (readBack = resolve));
    const observed: BackupStorage = {
      ...storage,
      get: async (key) => {
        order.push(`get ${named(key)}`);
        if (order.filter((line) => line.startsWith('get')).length === 2) readBack();
        return storage.get(key);
      },
      put: async (key, content) => {
        // The last item waits for the reading of the second: were one done after the other, this would never end.
        if (key.endsWith('.tar.gz')) await secondIsRead;
        const stored = await storage.put(key, content);
        order.push(`put ${named(key)}`);
        return stored;
      },
    };
    const { items } = await backUp(observed);
    expect(items).toHaveLength(4);
    expect(order.slice(-4)).toEqual([
      `put ${named(items[3]?.key ?? '')}`,
      `get ${named(items[3]?.key ?? '')}`,
      'put manifest.json',
      'get manifest.json',
    ]);
  });

  it('is taken of files in a container that is stopped', async () => {
    runGitea();
    await scene.engine.stop('forge-gitea-1');
    await expect(backUp()).resolves.toMatchObject({ status: 'succeeded' });
  });
});

describe('a file that gets shorter while it is read', () => {
  /** As the engine does (26.1): it cuts the archive there, and says nothing. */
  function shrinks(times: number): void {
    const archive = scene.engine.archive.bind(scene.engine);
    scene.engine.archive = async (id, path) => {
      const whole = await buffer(await archive(id, path));
      return Readable.from([times-- > 0 ? whole.subarray(0, 60_000) : whole]);
    };
  }

  it('is read again before the set fails', async () => {
    runGitea();
    shrinks(2);
    const record = await backUp();
    expect(record).toMatchObject({ status: 'succeeded', items: [{ name: '/data', verified: '4 entries' }] });
    const again = { level: 'warn', reason: expect.stringContaining('inside data/repo/b') as string };
    expect(scene.log).toContainEqual(expect.objectContaining(again));
  });

  it('is named when it never can be read to its end, and nothing is kept', async () => {
    runGitea();
    shrinks(99);
    const message = expect.stringMatching(
      /\/data of forge-gitea-1.*inside \/data\/repo\/b, 3 times\. .*Stop the program that writes to it/,
    ) as string;
    await expect(backUp()).rejects.toMatchObject({ code: 'backup_failed', message });
    expect([...storage.objects.keys()]).toEqual([]);
  });
});

describe('a folder that the engine leaves out of its archive', () => {
  function runFinding(stderr: string, exitCode = 1): void {
    const files = { '/data/a.txt': 'a', '/data/repo/b': 'b', '/data/refs/tags/': '' };
    scene.engine.addImage({ reference: 'gitea/gitea:1.24', files, scripts: { 'sh -c *': { exitCode, stderr } } });
    const labels = { ...inProject, 'backup.kind': 'files', 'backup.paths': '/data' };
    scene.engine.runContainer({ name: 'forge-gitea-1', image: 'gitea/gitea:1.24', labels });
  }

  it('fails the set, with its name and what to do', async () => {
    runFinding("find: '/data/cloud': Permission denied\nfind: '/data/gone': No such file or directory\n");
    const message = expect.stringMatching(
      /^Files \/data of forge-gitea-1 .*cannot read \/data\/cloud \(Permission denied\), and leaves it out.*allow_other/,
    ) as string;
    await expect(backUp()).rejects.toMatchObject({ code: 'backup_failed', message });
    expect([...storage.objects.keys()]).toEqual([]);
  });

  it.each([
    ['only root of the container cannot list it', 'find: /data/repo: Permission denied', 1],
    ['nothing is in doubt', '', 0],
    ['root of the container is not root of the host', 'find: /data/cloud: Permission denied', 3],
    ['the image has no find', 'sh: exec: find: not found', 127],
  ])('is not assumed where %s', async (_where, stderr, exitCode) => {
    runFinding(stderr, exitCode);
    await expect(backUp()).resolves.toMatchObject({ status: 'succeeded' });
  });
});

describe('a backup that fails', () => {
  async function expectFailure(code: string, message: RegExp, into: BackupStorage = storage): Promise<void> {
    const told: string[] = [];
    await expect(backUp(into, told)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    const [record] = scene.store.backups.list(1);
    expect(record).toMatchObject({ status: 'failed', error: { code, message: expect.stringMatching(message) } });
    expect(record?.finishedAt).not.toBeNull();
    expect(told).toEqual([code]);
    expect([...storage.objects.keys()]).toEqual([]);
  }

  it('says which server is not running and how to start it', async () => {
    runPostgres(undefined, true);
    await expectFailure('backup_failed', /forge-postgres-1.*not running.*docker start forge-postgres-1/);
  });

  it('keeps nothing of a dump whose exit code is not 0, though its bytes came', async () => {
    const spec = fakePostgres();
    const scripts = {
      ...spec.scripts,
      'pg_dump *': { exitCode: 1, stdout: aDump('half'), stderr: 'server closed the connection' },
    };
    scene.engine.addImage({ reference: 'postgres:15', scripts });
    scene.engine.runContainer({
      name: 'forge-postgres-1',
      image: 'postgres:15',
      labels: { ...inProject, 'backup.kind': 'postgres' },
    });
    await expectFailure(
      'backup_failed',
      /Database app of forge-postgres-1 could not be backed up.*server closed the connection/,
    );
  });

  it('says what a user without superuser rights may not read, and what to do', async () => {
    const spec = fakePostgres();
    const stderr = 'pg_dumpall: error: query failed: ERROR:  permission denied for table pg_authid';
    const scripts = { ...spec.scripts, 'pg_dumpall *': { exitCode: 1, stderr } };
    scene.engine.addImage({ reference: 'postgres:15', scripts });
    const labels = { ...inProject, 'backup.kind': 'postgres' };
    scene.engine.runContainer({ name: 'forge-postgres-1', image: 'postgres:15', labels, env: ['POSTGRES_USER=forge'] });
    await expectFailure(
      'backup_failed',
      /^Roles of .*User forge .*may not read the passwords.*ALTER ROLE "forge" SUPERUSER/,
    );
  });

  it('names the path that does not exist, and its label', async () => {
    runGitea('/dta');
    await expectFailure('backup_failed', /\/dta of forge-gitea-1.*backup\.paths/);
  });

  it.each<[Damage, RegExp, RegExp]>([
    ['flip', /dump$/, /database app.*were sent.*came back/],
    ['cut', /dump$/, /database app.*were sent.*came back/],
    ['empty', /dump$/, /database app.*0 bytes.*came back/],
    ['flip', /tar\.gz$/, /files \/data of forge-gitea-1/],
    ['cut', /tar\.gz$/, /files \/data of forge-gitea-1.*\d+ bytes.*were sent, \d+ bytes.*came back/],
    ['cut', /sql\.gz$/, /roles of forge-postgres-1.*\d+ bytes.*were sent, \d+ bytes.*came back/],
    ['cut', /manifest\.json$/, /manifest.*damaged/],
  ])('catches what the storage damaged: %s of %s', async (damage, key, message) => {
    runPostgres();
    runGitea();
    await expectFailure('backup_not_verified', message, damagingStorage(storage, key, damage));
  });

  it('catches a dump that pg_restore cannot read, though it was stored as it came', async () => {
    const spec = fakePostgres();
    const scripts = {
      ...spec.scripts,
      'pg_restore -f /dev/null': { exitCode: 1, stderr: 'unsupported version (1.16)' },
    };
    scene.engine.addImage({ reference: 'postgres:15', scripts });
    scene.engine.runContainer({
      name: 'forge-postgres-1',
      image: 'postgres:15',
      labels: { ...inProject, 'backup.kind': 'postgres' },
    });
    await expectFailure('backup_not_verified', /pg_restore ended with code 1: unsupported version/);
  });

  it('never takes an empty dump for a backup', async () => {
    runPostgres({ app: Buffer.alloc(0) });
    await expectFailure('backup_not_verified', /database app of forge-postgres-1.*it is empty/);
  });

  it('never takes roles for whole whose last line is missing', async () => {
    const spec = fakePostgres();
    scene.engine.addImage({
      reference: 'postgres:15',
      scripts: { ...spec.scripts, 'pg_dumpall *': { stdout: 'CREATE ROLE app;\n' } },
    });
    scene.engine.runContainer({
      name: 'forge-postgres-1',
      image: 'postgres:15',
      labels: { ...inProject, 'backup.kind': 'postgres' },
    });
    await expectFailure('backup_not_verified', /roles of forge-postgres-1.*last line/);
  });

  it.each(['storage_full', 'storage_refused', 'storage_unreachable'] as const)(
    'tells %s in the words of the storage',
    async (code) => {
      runPostgres();
      runGitea();
      const failing: BackupStorage = {
        ...storage,
        put: async (key, content) => {
          if (!key.endsWith('.tar.gz')) return storage.put(key, content);
          throw new StorageError(code, 'The bucket says no.');
        },
      };
      await expectFailure(code, /^The bucket says no\.$/, failing);
    },
  );

  it('says that no engine answers by that code, so that an update can wait for it', async () => {
    runPostgres();
    scene.engine.failNext('execOutput', new EngineError('engine_unreachable', 'The Docker Engine does not answer.'));
    await expectFailure('engine_unreachable', /The Docker Engine does not answer/);
  });

  it('says so when nothing of the project carries the label', async () => {
    await expectFailure('backup_failed', /nothing to back up for forge/);
  });

  it('only logs that its objects could not be deleted either, and tells the first error', async () => {
    runPostgres({ app: Buffer.alloc(0) });
    const stuck = {
      ...storage,
      delete: () => Promise.reject(new StorageError('storage_refused', 'no s3:DeleteObject')),
    };
    await expect(backUp(stuck)).rejects.toMatchObject({ code: 'backup_not_verified' });
    expect(scene.log).toContainEqual(expect.objectContaining({ level: 'warn', reason: 'no s3:DeleteObject' }));
    expect(await listBackupSets(storage, [])).toMatchObject([
      { manifest: null, problem: expect.stringContaining('never finished') },
    ]);
  });
});
