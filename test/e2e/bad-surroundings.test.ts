import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lab/command';
import type { ComposeProject } from '../lab/compose';
import { freePort } from '../lab/free-port';
import type { Pilot } from '../lab/pilot';
import { IMAGE_TYPE } from '../lab/registry/registry-http';
import { engineProxy, type EngineProxy } from '../support/e2e-engine-proxy';
import { AUTOMATIC, nginxService, SITE, type Service } from '../support/e2e-services';
import { imageNamed, namesOf, openStage, startedAt } from '../support/e2e-stage';
import {
  announce,
  endOf,
  endOfUpdate,
  mailsAbout,
  pageOf,
  stepsOf,
  updateTo,
  type UpdateTold,
} from '../support/e2e-updates';
import { eventually } from '../support/eventually';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy';

// What surrounds diun-pilot is broken: each time a clear word of it, and nothing lost.
const stage = openStage();

let web: ComposeProject;
let pilot: Pilot;
let proxy: EngineProxy;

let registry: FaultProxy;

const reference = (service: string): string =>
  service === 'pulled' ? `${behindProxy()}:stable` : stage.lab.registry.reference(`bad/${service}:stable`);
const behindProxy = (): string => `${new URL(registry.endpoint).host}/bad/pulled`;
const publishNew = async (service: string, mark: string): Promise<string> => {
  const { lab } = stage;
  return lab.registry.publish(await lab.variantOf(lab.images.NGINX_GOOD_2, mark), `bad/${service}:stable`);
};

beforeAll(async () => {
  const { lab } = stage;
  registry = await startFaultProxy(`http://${lab.registry.address}`);
  stage.closing(() => registry.stop());
  const kept = { ...AUTOMATIC, 'backup.kind': 'files', 'backup.paths': '/kept' };
  const labels: Record<string, Record<string, string>> = {
    plain: AUTOMATIC,
    kept,
    typo: { ...AUTOMATIC, 'update.policy': 'automtic' },
  };
  const services: Record<string, Service> = {};
  for (const [name, own] of Object.entries(labels)) {
    await lab.registry.publishAndPull(lab.images.NGINX_GOOD_1, `bad/${name}:stable`);
    services[name] = nginxService(
      reference(name),
      own,
      name === 'kept' ? { volumes: ['./conf:/etc/nginx/conf.d:ro', 'kept:/kept'] } : {},
    );
  }
  const first = await lab.registry.publish(lab.images.NGINX_GOOD_1, 'bad/pulled:stable');
  await lab.docker.run(['pull', '--quiet', reference('pulled')]);
  stage.closing(() => lab.docker.attempt(['rmi', reference('pulled'), `${behindProxy()}@${first}`]));
  services['pulled'] = nginxService(reference('pulled'));
  web = await stage.project('bad', services, { files: SITE, top: { volumes: { kept: {} } } });
  // More than the disk below has room for, and nothing that compresses.
  await web.exec('kept', 'sh', '-c', 'head -c 3000000 /dev/urandom > /kept/file');
  proxy = engineProxy(lab);
  stage.closing(() => proxy.cut());
  pilot = await stage.pilot({ env: { DOCKER_HOST: proxy.dockerHost } });
});

async function health(): Promise<{ code: number; docker: { status: string; reason?: string } }> {
  const answer = await fetch(`${pilot.url}/health`);
  const body = (await answer.json()) as { checks: { docker: { status: string; reason?: string } } };
  return { code: answer.status, docker: body.checks.docker };
}

it('no Docker Engine at the start: it serves, says so, keeps what Diun says, and does it once there is one', async () => {
  expect(await health()).toMatchObject({
    code: 503,
    docker: { status: 'down', reason: expect.stringContaining('webhooks are kept') },
  });
  const digest = await publishNew('plain', 'bad-1');
  expect((await announce(pilot, reference('plain'), digest)).status).toBe(202);
  const logged = () => Promise.resolve(pilot.log().find(({ message }) => message === 'deciding must wait'));
  expect(await eventually('the log tells', logged)).toMatchObject({ level: 'error' });
  expect(await pilot.updates()).toEqual([]);
  await proxy.mend();
  expect(await endOfUpdate(pilot, await web.containerName('plain'), digest)).toMatchObject({ status: 'succeeded' });
  expect(await pageOf(web, 'plain')).toMatch(/^good-2 /);
  await eventually('it is well again', async () => (await health()).code === 200);
});

it.each([
  ['while the swap goes on', [/^POST \/containers\/[^/]+\/stop/], 'after'],
  ['while it is pulled', [/^POST \/images\/create/], 'before'],
] as const)(
  'the engine goes away %s: nothing is claimed, and the update goes on when it is back',
  async (moment, calls, when) => {
    const { lab } = stage;
    const name = await web.containerName('plain');
    const digest = await publishNew('plain', `bad ${moment}`);
    const held = proxy.hold({ calls: [...calls], when });
    await announce(pilot, reference('plain'), digest);
    await held;
    await proxy.cut();
    await eventually('health tells', async () => (await health()).code === 503);
    expect(await updateTo(pilot, name, digest)).toMatchObject({ status: 'running', finishedAt: null });
    await proxy.mend();
    expect(await endOfUpdate(pilot, name, digest)).toMatchObject({ status: 'succeeded', error: null });
    const container = await web.container('plain');
    expect(container['State'].Running).toBe(true);
    expect(await imageNamed(lab, reference('plain'))).toBe(container['Image']);
    expect((await namesOf(lab, web)).filter((found) => found.startsWith(name))).toEqual([name]);
  },
);

describe('a place for backups that', () => {
  /** Nothing of the container is touched, and a mail says why. */
  async function expectNotTouched(mark: string, env: Record<string, string>, code: string, words: RegExp) {
    await pilot.restart('SIGTERM', env);
    const { lab } = stage;
    const name = await web.containerName('kept');
    const before = await web.container('kept');
    const mails = (await mailsAbout(pilot, name, 0)).length;
    const digest = await publishNew('kept', mark);
    await announce(pilot, reference('kept'), digest);
    const update = await endOfUpdate(pilot, name, digest);
    expect(update).toMatchObject({ status: 'failed', error: { code, message: expect.stringMatching(words) } });
    expect(stepsOf(update)).toEqual(['backup failed']);
    const after = await web.container('kept');
    expect([after['Id'], startedAt(after)]).toEqual([before['Id'], startedAt(before)]);
    expect(await imageNamed(lab, reference('kept'))).toBe(before['Image']);
    expect((await mailsAbout(pilot, name, mails + 2)).slice(mails)).toEqual([
      expect.stringContaining('update available'),
      expect.stringContaining('nothing was changed'),
    ]);
  }

  it('refuses connections', async () => {
    const aws = { AWS_ACCESS_KEY_ID: 'lab', AWS_SECRET_ACCESS_KEY: 'lab', AWS_REGION: 'eu-central-1' };
    const env = {
      ...aws,
      AWS_ENDPOINT_URL: `http://127.0.0.1:${await freePort()}`,
      PILOT_BACKUP_URL: 's3://lab-bucket/pilot',
    };
    await expectNotTouched('bad-s3', env, 'storage_unreachable', /does not answer/i);
  });

  it('cannot be written', async () => {
    // A file where a folder should be stops root, too.
    const folder = stage.lab.scratch('no-folder');
    writeFileSync(join(folder, 'backups'), 'a file');
    chmodSync(join(folder, 'backups'), 0o400);
    await expectNotTouched('bad-file', { PILOT_BACKUP_URL: `file://${folder}/backups` }, 'storage_refused', /./);
  });

  it('is full', async () => {
    const disk = join(stage.lab.scratch('disk'), 'small');
    mkdirSync(disk);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    try {
      writeFileSync(join(disk, 'filled'), Buffer.alloc(64 * 1024));
      await expectNotTouched('bad-full', { PILOT_BACKUP_URL: `file://${disk}/backups` }, 'storage_full', /full|space/i);
      const left = readdirSync(disk, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      expect(left.map(({ name }) => name)).toEqual(['filled']);
    } finally {
      await pilot.restart('SIGTERM', { PILOT_BACKUP_URL: 'file:' });
      await run('umount', [disk]);
    }
  });

  it('works again: the same digest is tried again, since it was not the image that failed', async () => {
    const { digest } = (await stage.lab.registry.tagged('bad/kept:stable'))!;
    await announce(pilot, reference('kept'), digest, 'new-tag');
    const succeeded = async () =>
      (await pilot.updates(`?container=${await web.containerName('kept')}&status=succeeded`))[0] as
        UpdateTold | undefined;
    const update = await eventually('it succeeds', succeeded);
    expect(update).toMatchObject({ to: { digest }, backup: { bytes: expect.any(Number) } });
  });
});

describe('a registry that', () => {
  let name: string;
  let digest: string;
  let layer: RegExp;
  beforeAll(async () => {
    const { lab } = stage;
    name = await web.containerName('pulled');
    const image = `${web.name}-fresh`;
    // A layer that the engine has to fetch, and that comes in many pieces.
    const dockerfile = `FROM ${lab.images.NGINX_GOOD_2}\nRUN head -c 3000000 /dev/urandom > /fresh\n`;
    await lab.docker.run(['build', '--quiet', '--tag', image, '-'], { input: dockerfile });
    digest = await lab.registry.publish(image, 'bad/pulled:stable');
    await lab.docker.run(['rmi', image]);
    layer = new RegExp(`^GET .*/blobs/${await lastLayer()}`);
  });
  afterEach(() => registry.mend());

  async function lastLayer(): Promise<string> {
    const url = `http://${stage.lab.registry.address}/v2/bad/pulled/manifests/${digest}`;
    const manifest = await (await fetch(url, { headers: { Accept: IMAGE_TYPE } })).json();
    return (manifest as { layers: { digest: string }[] }).layers.at(-1)?.digest ?? 'none';
  }

  it.each([
    [
      'sends content that does not match the digest',
      { kind: 'flip-answer' },
      /verification failed.*sent content that does not match the digest/,
    ],
    [
      'has lost a layer',
      { kind: 'error', status: 404, code: 'BLOB_UNKNOWN' },
      /unknown.*does not have all parts of the image/,
    ],
  ] as const)('%s: nothing is touched, and it was not the image', async (_what, fault, words) => {
    const before = await web.container('pulled');
    const mails = (await mailsAbout(pilot, name, 0)).length;
    registry.fail(layer, fault);
    const asked = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container: name }) });
    const update = await endOf(pilot, ((await asked.json()) as { id: string }).id);
    expect(update).toMatchObject({
      status: 'failed',
      error: { code: 'pull_failed', message: expect.stringMatching(words) },
    });
    expect(stepsOf(update)).toEqual(['backup succeeded', 'pull failed']);
    const after = await web.container('pulled');
    expect([after['Id'], startedAt(after)]).toEqual([before['Id'], startedAt(before)]);
    expect(await imageNamed(stage.lab, reference('pulled'))).toBe(before['Image']);
    expect((await mailsAbout(pilot, name, mails + 1)).slice(mails)).toEqual([
      expect.stringContaining('nothing was changed'),
    ]);
  });

  it('breaks off in the middle of a layer: the engine fetches the rest, and the digest is not held against the image', async () => {
    registry.fail(layer, { kind: 'cut-inside' }, 1);
    registry.requests.splice(0);
    await announce(pilot, reference('pulled'), digest);
    expect(await endOfSecond()).toMatchObject({ status: 'succeeded', source: 'diun', to: { digest } });
    expect(registry.requests.filter((line) => layer.test(line))).toHaveLength(2);
  });

  async function endOfSecond(): Promise<UpdateTold> {
    const heard = async () =>
      ((await pilot.updates(`?container=${name}`)) as UpdateTold[]).find(({ source }) => source === 'diun');
    const update = await eventually('it is heard', heard);
    return endOf(pilot, String(update['id']));
  }
});

it('an image that nobody runs: accepted, and ignored with the reason', async () => {
  const digest = `sha256:${'ab'.repeat(32)}`;
  const image = stage.lab.registry.reference('bad/unknown:1');
  expect((await announce(pilot, image, digest)).status).toBe(202);
  const shown = async () =>
    ((await pilot.updates('?status=ignored')) as UpdateTold[]).find(({ to }) => to.digest === digest);
  expect(await eventually('it is shown', shown)).toMatchObject({
    container: null,
    reason: expect.stringContaining('No watched container runs an image of this repository'),
  });
});

it('a policy with a typo: it waits for a person, and the log says which label', async () => {
  const name = await web.containerName('typo');
  const digest = await publishNew('typo', 'bad-typo');
  await announce(pilot, reference('typo'), digest);
  expect(await endOfUpdate(pilot, name, digest)).toMatchObject({ status: 'awaiting_approval', policy: 'manual' });
  expect(pilot.log()).toContainEqual(
    expect.objectContaining({ level: 'error', container: name, label: 'update.policy', value: 'automtic' }),
  );
});
