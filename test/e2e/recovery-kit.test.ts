import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lab/command';
import type { ComposeProject } from '../lab/compose';
import { buildPilotImage } from '../lab/images/pilot-image';
import { projectName, viewSocket, type Lab } from '../lab/lab';
import { whyNoS3Server } from '../lab/s3-program';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { openStage } from '../support/e2e-stage';
import { describeIf } from '../support/needs';
import { startS3Server, type S3Server } from '../support/s3-server';

// The disaster: the host is gone, with its volumes and with the data of diun-pilot. What is left: the compose folder, the backups,
// and the printed page. Its commands are run as they are printed; only what the lab must own has another name.
const stage = openStage();
const SECRET = 'approval-secret-of-the-old-host-0123456789';
let image: string;
let server: S3Server | null = null;

beforeAll(async () => {
  image = await buildPilotImage(stage.lab);
  if (whyNoS3Server() === null) server = await startS3Server();
}, 1_200_000);
afterAll(() => server?.stop());

/** One command of diun-pilot in a container, as on the old host. */
function onOldHost(lab: Lab, env: Record<string, string>, mounts: string[], command: string[]): Promise<string> {
  const settings = Object.entries({ ...env, PILOT_APPROVAL_SECRET: SECRET }).map(
    ([name, value]) => `--env=${name}=${value}`,
  );
  const volumes = [`${viewSocket(lab)}:/var/run/docker.sock`, ...mounts].flatMap((mount) => ['--volume', mount]);
  const name = projectName(lab.id, `kit-${command[0] ?? ''}`); // else it would not see itself
  const options = [
    '--rm',
    '--name',
    name,
    '--network',
    'host',
    '--user',
    '0:0',
    '--label',
    lab.label,
    ...settings,
    ...volumes,
  ];
  return lab.docker.run(['run', ...options, image, ...command]);
}

async function disaster(shop: ComposeProject): Promise<void> {
  await shop.down();
  const left = await stage.lab.docker.lines(['volume', 'ls', '--quiet', '--filter', `name=^${shop.name}_`]);
  expect(left).toEqual([]);
}

/** Types what the page says, in the folder of the project. */
async function follow(kit: string, shop: ComposeProject): Promise<void> {
  const { lab } = stage;
  const volume = projectName(lab.id, 'recovery');
  const here = kit
    .replaceAll('/var/run/docker.sock:/var/run/docker.sock', `${viewSocket(lab)}:/var/run/docker.sock`)
    .replaceAll('diun-pilot-recovery', volume);
  writeFileSync(join(shop.dir, 'recovery.env'), blocks(here, 'env')[0] ?? '', { mode: 0o600 });
  const env = { ...process.env, DOCKER_HOST: lab.docker.host };
  const type = (line: string) => run('sh', ['-ec', line], { cwd: shop.dir, env });
  const [start = '', restore = ''] = blocks(here, 'sh');
  await type(start);
  await appOf(shop).ready();
  expect(await appOf(shop).items()).toEqual([]);
  await type(restore);
  await lab.docker.run(['volume', 'rm', volume]);
}

function blocks(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\`$`, 'gm'))].map(
    ([, text = '']) => text,
  );
}

async function fromTheKit(name: string, env: Record<string, string>, mounts: string[] = []): Promise<void> {
  const { lab } = stage;
  const shop = await stage.project(name, appServices(lab, lab.images.APP_1), { top: APP_VOLUMES });
  const app = appOf(shop);
  await app.ready();
  for (const item of ['eins', 'zwei']) await app.keep(item);
  const before = await app.items();
  await onOldHost(lab, env, mounts, ['backup', '--project', shop.name]);
  const kit = await onOldHost(lab, env, mounts, ['recovery-kit']);
  await disaster(shop);
  await follow(kit, shop);
  await app.ready();
  expect(await app.items()).toEqual(before);
  await shop.down();
}

test('a folder of backups: everything is back, from the page alone', async () => {
  const folder = stage.lab.scratch('kit-backups');
  await fromTheKit('kit-file', { PILOT_BACKUP_URL: `file://${folder}` }, [`${folder}:${folder}`]);
});

test('a restic repository: everything is back, from the page alone', async () => {
  const folder = stage.lab.scratch('kit-restic');
  const env = { PILOT_BACKUP_URL: `restic:${folder}`, RESTIC_PASSWORD: 'the only key to it' };
  await fromTheKit('kit-restic', env, [`${folder}:${folder}`]);
  expect(readFileSync(join(folder, 'config')).includes('chunker_polynomial')).toBe(false);
});

describeIf(whyNoS3Server(), 'a bucket', () => {
  test('everything is back, from the page alone', async () => {
    if (server === null) throw new Error('the S3 server was not started');
    const { accessKeyId, secretAccessKey } = server.sdk.credentials;
    await fromTheKit('kit-s3', {
      PILOT_BACKUP_URL: `s3://${await server.bucket()}/host`,
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_REGION: server.sdk.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    });
  });
});
