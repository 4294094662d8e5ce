import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BackupManifest } from '../../src/domain/backups/backup';
import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import { rehearsed } from '../support/e2e-majors';
import { imageNamed, openStage, startedAt } from '../support/e2e-stage';
import { endOf, mailsAbout, stepsOf, type UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';

// PostgreSQL with rows, and an application on it with files: what an update of the database must never lose.
const stage = openStage();
const TAG = 'data/postgres:15';

let data: ComposeProject;
let pilot: Pilot;
let db: string;

beforeAll(async () => {
  const { lab } = stage;
  await lab.registry.publishAndPull(lab.images.POSTGRES_15, TAG);
  const login = { APP_DB_HOST: 'db', APP_DB_NAME: 'app', APP_DB_USER: 'app', APP_DB_PASSWORD: 'geheim' };
  data = await stage.project(
    'data',
    {
      db: {
        image: lab.registry.reference(TAG),
        environment: { POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: 'geheim' },
        volumes: ['rows:/var/lib/postgresql/data'],
        restart: 'always',
        labels: { 'diun.enable': 'true', 'update.probe': 'postgres', 'backup.kind': 'postgres' },
      },
      app: {
        image: lab.images.APP_1,
        environment: login,
        depends_on: ['db'],
        ports: ['127.0.0.1::3000'],
        volumes: ['files:/data'],
        restart: 'always',
        labels: { 'update.probe': 'gitea', 'backup.kind': 'files', 'backup.paths': '/data' },
      },
    },
    { top: { volumes: { rows: {}, files: {} } } },
  );
  pilot = await stage.pilot();
  db = await data.containerName('db');
  await eventually('the application answers', items);
  for (const name of ['erste', 'zweite']) await keepItem(name);
});

async function items(): Promise<{ name: string; file: string }[]> {
  return (await (await fetch(`${await data.url('app', 3000)}/items`)).json()) as { name: string; file: string }[];
}

async function keepItem(name: string): Promise<void> {
  await fetch(`${await data.url('app', 3000)}/items`, { method: 'POST', body: JSON.stringify({ name }) });
}

const bothItems = [
  expect.objectContaining({ name: 'erste', file: 'erste' }),
  expect.objectContaining({ name: 'zweite', file: 'zweite' }),
];

async function ask(): Promise<string> {
  const answer = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container: db }) });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { id: string }).id;
}

/** Reads the set that the record names from the disk, as somebody on a fresh host would. */
function storedSet(update: UpdateTold): { manifest: BackupManifest; folder: string } {
  const folder = fileURLToPath(String(update['backup'].url));
  return { folder, manifest: JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as BackupManifest };
}

function expectWholeSet(update: UpdateTold): void {
  const { manifest, folder } = storedSet(update);
  expect(manifest).toMatchObject({ project: data.name, reason: 'update', updateId: update['id'] });
  const kinds = manifest.items.map(({ kind, name }) => `${kind} ${name}`).sort();
  expect(kinds).toEqual(['database app', 'database postgres', 'files /data', 'globals globals']);
  for (const { key, bytes, sha256, verified } of manifest.items) {
    const stored = readFileSync(join(folder, '../..', key));
    expect([key, stored.length]).toEqual([key, bytes]);
    expect(createHash('sha256').update(stored).digest('hex')).toBe(sha256);
    expect(verified).not.toBe('');
  }
}

it('another major: an approval request, rehearsed, and the database untouched', async () => {
  const { lab } = stage;
  const before = await data.container('db');
  await lab.registry.publish(lab.images.POSTGRES_17, TAG);
  const update = await endOf(pilot, await ask());
  expect(update).toMatchObject({ status: 'awaiting_approval', approval: { status: 'waiting' }, steps: [] });
  expect(update['reason']).toContain('a passed rehearsal first (PostgreSQL 15 to 17)');
  expect((await rehearsed(pilot, String(update['id'])))['rehearsal']).toMatchObject({ status: 'passed' });
  const after = await data.container('db');
  expect([after['Id'], startedAt(after), after['RestartCount']]).toEqual([before['Id'], startedAt(before), 0]);
  expect(await imageNamed(lab, lab.registry.reference(TAG))).toBe(before['Image']);
  expect(await items()).toEqual(bothItems);
  expect(await mailsAbout(pilot, db, 1)).toEqual([expect.stringContaining('approval')]);
});

it('a rebuild of the same major: backed up with the files, verified, updated, and the application looked at', async () => {
  const { lab } = stage;
  const digest = await lab.registry.publish(lab.images.POSTGRES_15_NEXT, TAG);
  const update = await endOf(pilot, await ask());
  expect(update).toMatchObject({ status: 'succeeded', to: { digest }, error: null });
  expect(stepsOf(update)[0]).toBe('backup succeeded');
  expect(storedSet(update).manifest.quiesced).toBe(true);
  expectWholeSet(update);
  const health = (update['steps'] as { name: string; detail: string }[]).find(({ name }) => name === 'health_check');
  expect(health?.detail).toContain(`${await data.containerName('app')}, which depends on it: /api/healthz says pass`);
  expect((await data.container('db'))['Image']).toBe(await imageNamed(lab, lab.images.POSTGRES_15_NEXT));
  expect(await items()).toEqual(bothItems);
  expect((await mailsAbout(pilot, db, 3)).at(-1)).toContain('the new version is healthy');
  const backups = (await pilot.get('/backups')) as { backups: { updateId: string; status: string }[] };
  expect(backups.backups[0]).toMatchObject({ updateId: update['id'], status: 'succeeded' });
});
