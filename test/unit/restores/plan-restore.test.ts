import type { BackupItem, BackupManifest } from '../../../src/domain/backups/backup';
import type { Container } from '../../../src/domain/container';
import { planRestore, type RestorePlan } from '../../../src/restores/plan-restore';
import { aContainer } from '../../support/container-builder';

function item(container: string, kind: BackupItem['kind'], name: string, more: Partial<BackupItem> = {}): BackupItem {
  const stored = {
    key: `forge/x/${name}`,
    bytes: 1024,
    sha256: 'a'.repeat(64),
    compression: 'none',
    verified: 'whole',
  } as const;
  return { container, image: { reference: 'x:1', imageId: 'sha256:1' }, kind, name, ...stored, ...more };
}

const ITEMS = [
  item('forge-db-1', 'globals', 'globals'),
  item('forge-db-1', 'database', 'app'),
  item('forge-gitea-1', 'files', '/data', { service: 'gitea' }),
];

function manifestOf(items = ITEMS, more: Partial<BackupManifest> = {}): BackupManifest {
  const head = {
    format: 1,
    id: 'B1',
    project: 'forge',
    createdAt: '2026-11-23T02:00:00.000Z',
    quiesced: false,
  } as const;
  return { ...head, reason: 'schedule', updateId: null, items, ...more };
}

function of(name: string, more: Parameters<typeof aContainer>[0] = {}): Container {
  const service = /-(\w+)-1$/.exec(name)?.[1] ?? name;
  return aContainer({ id: name, name, service, project: 'forge', running: true, ...more });
}

const db = of('forge-db-1', { labels: { 'backup.kind': 'postgres' } });
const gitea = of('forge-gitea-1', { labels: { 'backup.kind': 'files', 'backup.paths': '/data' }, dependsOn: ['db'] });
const cron = of('forge-cron-1', { dependsOn: ['db', 'gitea'] });

const plan = (containers: Container[], manifest = manifestOf(), target: string | null = null): RestorePlan =>
  planRestore({ folder: 'forge/x', url: 'file:///forge/x', manifest, distrust: null, target, containers });

test('says what is stopped, what is put where, what is kept, and who is started', () => {
  const { course, problems, writers } = plan([db, gitea, cron]);
  expect(problems).toEqual([]);
  expect(writers.map(({ name }) => name)).toEqual(['forge-gitea-1', 'forge-cron-1']);
  const told = course.join('\n');
  expect(told).toMatch(/read completely first[\s\S]*Stopped during the restore: forge-gitea-1, forge-cron-1/);
  expect(told).toMatch(
    /forge-db-1: missing roles.*[\s\S]*forge-db-1: database app is restored next to[\s\S]*forge-gitea-1: \/data is unpacked/,
  );
  expect(told).toContain('a file may be newer than the rows');
  expect(told).toContain('needs free space for a second copy of the data');
});

test('finds the containers of another project by their services, also for sets that name none', () => {
  const others = [db, gitea].map((one) => ({
    ...one,
    id: `o-${one.name}`,
    name: `own-name-of-${one.service}`,
    project: 'other',
  }));
  const { problems, files, databases } = plan([db, gitea, ...others], manifestOf(), 'other');
  expect(problems).toEqual([]);
  expect([...databases, ...files].map(({ container }) => container.name)).toEqual([
    'own-name-of-db',
    'own-name-of-gitea',
  ]);
});

test('a container outside any project is found by its name', () => {
  const lone = of('lone', { project: null, service: null });
  const manifest = manifestOf([item('lone', 'files', '/data')], { project: null });
  expect(plan([lone], manifest).files).toMatchObject([{ container: { name: 'lone' } }]);
});

test.each([
  ['there is no container for it', [gitea], /no container for the roles of forge-db-1 in project forge.*--project/],
  [
    'the server does not run',
    [of('forge-db-1', { running: false }), gitea],
    /forge-db-1 does not run.*docker start forge-db-1/,
  ],
  ['stopping would delete it', [db, { ...gitea, autoRemove: true }], /started with --rm/],
])('refuses when %s', (_, containers, words) => {
  expect(plan(containers).problems.join('\n')).toMatch(words);
});

test('never touches the data of diun-pilot itself', () => {
  const { files, writers } = plan([db, { ...gitea, self: true }]);
  expect([files, writers]).toEqual([[], []]);
});

test('a command of docker compose run gets no files, and one that runs must end first', () => {
  const run = of('forge-gitea-run-1', { service: 'gitea', composeRun: true });
  expect(plan([run, db, gitea])).toMatchObject({
    files: [{ container: { name: 'forge-gitea-1' } }],
    writers: [{ name: 'forge-gitea-1' }],
    problems: [expect.stringContaining('docker stop forge-gitea-run-1')],
  });
  expect(plan([{ ...run, running: false }, db, gitea]).problems).toEqual([]);
});
