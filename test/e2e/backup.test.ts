import { type BackupRecord, membersOf } from '../../src/domain/backups/backup';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { createFileStorage } from '../../src/adapters/storage-file/file-storage';
import { createS3Storage } from '../../src/adapters/storage-s3/s3-storage';
import { listBackupSets } from '../../src/backups/manifest';
import { takeBackup } from '../../src/backups/take-backup';
import { systemClock } from '../../src/lib/clock';
import { silentLogger } from '../../src/lib/logger';
import { Secret } from '../../src/lib/secret';
import type { BackupStorage } from '../../src/ports/backup-storage';
import type { Engine } from '../../src/ports/engine';
import type { Store } from '../../src/ports/store';
import { readContainers } from '../../src/containers/read-containers';
import type { ComposeProject } from '../lab/compose';
import { damagingStorage, type Damage } from '../support/damaging-storage';
import type { Service } from '../support/e2e-services';
import { openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';
import { describeIf } from '../support/needs';
import { whyNoS3Server } from '../lab/s3-program';
import { startS3Server } from '../support/s3-server';
import { spoilingEngine } from '../support/spoiling-engine';

// One project with a real PostgreSQL and a container with files; a backup of it is taken as an update takes it.
const AWKWARD = `it's=a\\ test`;
const SECRETS = [new Secret('approval-secret-of-the-test')];
const stage = openStage();
let project: ComposeProject;
let engine: Engine;
let store: Store;
let directory: string;

/** The server's own socket asks for a password, and that is in a file, as with Docker secrets. */
function postgresService(): Service {
  return {
    image: stage.lab.images.POSTGRES_15,
    labels: { 'backup.kind': 'postgres' },
    environment: {
      POSTGRES_USER: 'shop',
      POSTGRES_DB: 'orders',
      POSTGRES_PASSWORD_FILE: '/run/password',
    },
    volumes: ['./password:/run/password:ro'],
  };
}

function filesService(): Service {
  const labels = { 'backup.kind': 'files', 'backup.paths': '/data,/etc/hostname' };
  return { image: stage.lab.images.NGINX_GOOD_1, labels, volumes: ['/data'] };
}

const inContainer = (service: string, ...command: string[]): Promise<string> =>
  project.compose(['exec', '-T', service, ...command]);

const sql = (database: string, statement: string): Promise<string> =>
  inContainer('db', 'sh', '-c', 'PGPASSWORD=s3cret exec psql -XAt -U shop -d "$0" -c "$1"', database, statement);

beforeAll(async () => {
  engine = createDockerEngine({ dockerHost: stage.lab.viewHost, dockerConfigDir: null });
  store = createSqliteStore({ path: ':memory:', clock: systemClock });
  stage.closing(() => store.close());
  const files = { password: 's3cret\n' };
  project = await stage.project('backup', { db: postgresService(), app: filesService() }, { files });
  await eventually('PostgreSQL answers', () => inContainer('db', 'pg_isready', '-h', '127.0.0.1'), {
    timeoutMs: 300_000,
  });
  const asking = 's/^local(.*)trust$/local\\1scram-sha-256/';
  await inContainer('db', 'sh', '-c', `sed -Ei '${asking}' "$PGDATA/pg_hba.conf" && kill -HUP 1`);
  const id = String((await project.container('db'))['Id']);
  const refuses = async (): Promise<boolean> =>
    (await engine.exec(id, ['psql', '-w', '-U', 'shop', '-d', 'orders', '-c', 'SELECT 1'])).exitCode !== 0;
  await eventually('the server asks for its password', refuses);
  await sql('orders', 'CREATE TABLE line AS SELECT n, md5(n::text) AS text FROM generate_series(1, 20000) n');
  await sql('orders', `CREATE DATABASE "${AWKWARD}"`);
  await sql('orders', 'CREATE ROLE clerk PASSWORD $$x$$');
  const fill =
    'mkdir -p /data/repo && seq 1 50000 > /data/repo/numbers && ln -s repo /data/link && ln -s /data /linked';
  await inContainer('app', 'sh', '-c', fill);
});

beforeEach(() => (directory = stage.lab.scratch('backups')));

interface Parts {
  engine?: Engine;
  storage?: BackupStorage;
}

async function backUp(parts: Parts = {}): Promise<BackupRecord> {
  const place = { project: project.name, container: null };
  const members = membersOf(place, await readContainers(engine, null));
  const record = store.backups.insert({ ...place, reason: 'operator', updateId: null });
  const storage = parts.storage ?? createFileStorage({ directory });
  const deps = {
    engine,
    store,
    clock: systemClock,
    logger: silentLogger,
    approvalSecrets: SECRETS,
    onProgress: () => undefined,
    ...parts,
    storage,
  };
  return takeBackup(deps, { record, members, quiesced: false });
}

async function expectFailure(parts: Parts, code: string, message: RegExp): Promise<void> {
  await expect(backUp(parts)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  expect(store.backups.list(1)).toMatchObject([{ status: 'failed', error: { code }, url: null }]);
  expect(existsSync(directory) ? readdirSync(directory).filter((name) => name !== '.partial') : []).toEqual([]);
}

const objectOf = (record: BackupRecord, kind: string, name: string): string =>
  join(directory, record.items.find((item) => item.kind === kind && item.name === name)?.key ?? 'no such item');

describe('a set of a real PostgreSQL and real files', () => {
  it('is stored whole: every database, the roles, every path, each read back', async () => {
    const record = await backUp();
    expect(record.items.map(({ kind, name, verified }) => [kind, name, verified])).toEqual([
      ['globals', 'globals', 'ends as pg_dumpall ends'],
      ['database', AWKWARD, 'pg_restore read it to its end'],
      ['database', 'orders', 'pg_restore read it to its end'],
      ['database', 'postgres', 'pg_restore read it to its end'],
      ['files', '/data', '4 entries'],
      ['files', '/etc/hostname', '1 entry'],
    ]);
    for (const { key, bytes } of record.items) expect(statSync(join(directory, key)).size).toBe(bytes);
    const sets = await listBackupSets(createFileStorage({ directory }), SECRETS);
    expect(sets).toMatchObject([{ problem: null, manifest: { id: record.id, items: record.items } }]);
  });

  it('can be restored from: the rows come back, and the roles are told', async () => {
    const record = await backUp();
    const dump = createReadStream(objectOf(record, 'database', 'orders'));
    await sql('postgres', 'CREATE DATABASE again');
    const restore = 'PGPASSWORD=s3cret exec pg_restore -U shop -d again --exit-on-error --single-transaction';
    const id = String((await project.container('db'))['Id']);
    expect(await engine.execInput(id, ['sh', '-c', restore], dump)).toMatchObject({ exitCode: 0 });
    expect(await sql('again', 'SELECT count(*), max(text) FROM line')).toBe(
      await sql('orders', 'SELECT count(*), max(text) FROM line'),
    );
    await sql('postgres', 'DROP DATABASE again');
    const globals = createReadStream(objectOf(record, 'globals', 'globals')).pipe(createGunzip());
    expect((await buffer(globals)).toString()).toContain('CREATE ROLE clerk');
  });

  it('is caught when the storage damages it', async () => {
    const cases: [Damage, RegExp, RegExp][] = [
      ['flip', /orders\.dump$/, /database orders .*came back/],
      ['cut', /orders\.dump$/, /database orders .*came back/],
      ['flip', /data\.tar\.gz$/, /files \/data /],
      ['cut', /data\.tar\.gz$/, /files \/data .*were sent, \d+ bytes .*came back/],
    ];
    for (const [damage, key, message] of cases) {
      const storage = damagingStorage(createFileStorage({ directory }), key, damage);
      await expectFailure({ storage }, 'backup_not_verified', message);
    }
  });

  it('is caught by pg_restore and by the walk through the tar when it was read badly and stored as it was read', async () => {
    const cases: [RegExp, (whole: Buffer) => Buffer, string, RegExp][] = [
      [/pg_dump .*orders/, cutAt(0.6), 'backup_not_verified', /database orders .*pg_restore ended with code 1/],
      [/pg_dump .*orders/, flipAt(0.6), 'backup_not_verified', /database orders .*pg_restore ended with code 1/],
      [/pg_dump .*orders/, () => Buffer.alloc(0), 'backup_not_verified', /database orders .*empty/],
      [/pg_dumpall/, cutAt(0.6), 'backup_not_verified', /roles of .*last line/],
      [/^\/data$/, cutAt(0.6), 'backup_failed', /Files \/data .*the archive ended inside .*3 times/],
      [
        /^\/data$/,
        (tar) => tar.subarray(0, 1024),
        'backup_failed',
        /Files \/data .*the archive ended inside .*3 times/,
      ],
    ];
    for (const [matches, spoil, code, message] of cases) {
      await expectFailure({ engine: spoilingEngine(engine, matches, spoil) }, code, message);
    }
  });

  it('fails clearly when the dump is broken off: the server dies under it', async () => {
    await sql('orders', 'CREATE TABLE wide AS SELECT md5(n::text) AS text FROM generate_series(1, 2000000) n');
    const inner = createFileStorage({ directory });
    const storage: BackupStorage = {
      ...inner,
      put: (key, content) => {
        if (/orders\.dump$/.test(key)) content.once('data', () => void project.compose(['kill', 'db']));
        return inner.put(key, content);
      },
    };
    await expectFailure({ storage }, 'backup_failed', /Database orders of .*db-1 could not be backed up/);
  });

  it('says that a server is not running, and how to start it', async () => {
    await project.compose(['stop', 'db']);
    await expectFailure(
      {},
      'backup_failed',
      /db-1 cannot be dumped, because the container is not running.*docker start/,
    );
    await project.compose(['start', 'db']);
    await eventually('PostgreSQL answers', () => inContainer('db', 'pg_isready', '-h', '127.0.0.1'), {
      timeoutMs: 300_000,
    });
  });

  it('says that the target is down, and keeps nothing', async () => {
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
    const client = { endpoint: 'http://127.0.0.1:9', region: 'us-east-1', credentials };
    const storage = createS3Storage({ bucket: 'backups', prefix: '', customEndpoint: true, client });
    await expectFailure({ storage }, 'storage_unreachable', /bucket backups/);
  });
});

describe('paths that hold no backup', () => {
  it.each([
    ['does not exist', '/dta', /Files \/dta of .*backup\.paths/],
    ['is a symbolic link', '/linked', /\/linked of .* is a symbolic link/],
  ])('a path that %s is told by its name', async (_what, path, message) => {
    const labels = { 'backup.kind': 'files', 'backup.paths': path };
    const spoiled: Engine = {
      ...engine,
      inspectContainer: async (id) => {
        const found = await engine.inspectContainer(id);
        const kind = found.Config.Labels?.['backup.kind'];
        if (!found.Name.startsWith(`/${project.name}-`) || kind === undefined) return found;
        const own = kind === 'files' ? labels : { 'backup.kind': '' };
        return { ...found, Config: { ...found.Config, Labels: { ...found.Config.Labels, ...own } } };
      },
    };
    const place = { project: project.name, container: null };
    const members = membersOf(place, await readContainers(spoiled, null)).filter((member) => member.service === 'app');
    const record = store.backups.insert({ ...place, reason: 'operator', updateId: null });
    const storage = createFileStorage({ directory });
    const told = { logger: silentLogger, onProgress: () => undefined };
    const deps = { engine, storage, store, clock: systemClock, approvalSecrets: SECRETS, ...told };
    await expect(takeBackup(deps, { record, members, quiesced: false })).rejects.toMatchObject({
      code: 'backup_failed',
      message: expect.stringMatching(message),
    });
  });
});

describeIf(whyNoS3Server(), 'a set in a real S3 bucket', () => {
  it('is stored, read back over the wire, and found by its manifest', async () => {
    const server = await startS3Server();
    stage.closing(() => server.stop());
    const bucket = await server.bucket();
    const storage = createS3Storage({ bucket, prefix: 'pilot', customEndpoint: true, client: server.sdk });
    const record = await backUp({ storage });
    expect(record.url).toMatch(new RegExp(`^s3://${bucket}/pilot/${project.name}/`));
    expect(await listBackupSets(storage, SECRETS)).toMatchObject([{ problem: null, manifest: { id: record.id } }]);
    const keys = [
      ...record.items.map(({ key }) => key),
      `${record.items[0]?.key.split('/', 2).join('/')}/manifest.json`,
    ];
    expect((await server.objects(bucket)).sort()).toEqual(keys.map((key) => `pilot/${key}`).sort());
    await expect(backUp({ storage: damagingStorage(storage, /orders\.dump$/, 'flip') })).rejects.toMatchObject({
      code: 'backup_not_verified',
    });
    expect(await server.objects(bucket)).toHaveLength(record.items.length + 1);
  });
});

function cutAt(share: number): (whole: Buffer) => Buffer {
  return (whole) => whole.subarray(0, Math.floor(whole.length * share));
}

function flipAt(share: number): (whole: Buffer) => Buffer {
  return (whole) => {
    whole[Math.floor(whole.length * share)]! ^= 0x01;
    return whole;
  };
}
