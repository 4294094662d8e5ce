import { createWatch, requestRenewal } from '../../src/certificates/renewal-queue';
import { EngineError } from '../../src/domain/errors';
import { workOnce } from '../../src/queue/worker';
import { openRenewalScene, type RenewalScene } from '../support/renewal-scene';

let world: RenewalScene;
beforeEach(() => (world = openRenewalScene()));
afterEach(() => world.scene.close());

const HOUR = 3_600_000;

async function renew(reason: 'operator' | 'schedule' = 'operator') {
  const { id } = requestRenewal(world.scene.deps, { reason });
  await world.scene.settle();
  const ended = world.scene.store.renewals.get(id);
  if (ended === null) throw new Error('the renewal is gone');
  return ended;
}

const mails = () => world.scene.mails().map(({ kind, text }) => ({ kind, text }));
/** Without what only reads. */
const acts = () => world.scene.engine.lines().filter((line) => !/^archive|nginx -T$/.test(line));
const seen = () => world.scene.store.certificates.list();

describe('a certificate that is due', () => {
  test('is renewed by certbot, loaded by a reload, and served', async () => {
    const next = world.certificate(90);
    world.renewsTo(next);
    const ended = await renew();
    expect(ended).toMatchObject({ status: 'succeeded', outcome: 'renewed', reason: 'operator', error: null });
    expect(ended.detail).toBe('Renewed, and served: git.example.org (web-nginx-1, 90 days).');
    expect(ended.before).toMatchObject([{ disk: world.first.parsed, served: world.first.parsed }]);
    expect(ended.after).toMatchObject([{ disk: next.parsed, served: next.parsed, problem: null }]);
    expect(acts()).toEqual([
      'start web-certbot-1',
      'wait web-certbot-1',
      'exec web-nginx-1 nginx -t',
      'exec web-nginx-1 nginx -s reload',
    ]);
    expect(seen()).toEqual(ended.after);
    expect(mails()).toEqual([]);
  });

  test('a second run right after does nothing', async () => {
    const next = world.certificate(90);
    world.renewsTo(next);
    await renew();
    const before = acts().length;
    expect(await renew()).toMatchObject({
      status: 'succeeded',
      outcome: 'not_due',
      detail: 'No certificate is due: git.example.org has 90 days left.',
    });
    expect(acts().slice(before)).toEqual(['start web-certbot-1', 'wait web-certbot-1']);
  });

  test('nginx is restarted only if it cannot be reloaded', async () => {
    world.renewsTo(world.certificate(90));
    world.nginx.reload = { exitCode: 1, stderr: 'nginx: [error] invalid PID number "" in "/run/nginx.pid"' };
    expect(await renew()).toMatchObject({ outcome: 'renewed' });
    expect(acts().at(-1)).toBe('restart web-nginx-1');
    expect(world.scene.log).toContainEqual(
      expect.objectContaining({ level: 'warn', container: 'web-nginx-1', reason: expect.stringContaining('PID') }),
    );
  });

  test('another server than nginx is restarted, and asked on port 443 for what certbot keeps', async () => {
    world.scene.close();
    world = openRenewalScene({ probe: 'docker' });
    const next = world.certificate(90);
    world.renewsTo(next);
    expect(await renew()).toMatchObject({
      outcome: 'renewed',
      after: [{ server: 'web-nginx-1', served: next.parsed }],
    });
    expect(acts()).toEqual(['start web-certbot-1', 'wait web-certbot-1', 'restart web-nginx-1']);
  });

  test('without a server it is renewed on disk, and the words say that nobody serves it', async () => {
    world.scene.close();
    world = openRenewalScene({ servers: false });
    world.renewsTo(world.certificate(90));
    expect(await renew()).toMatchObject({
      outcome: 'renewed',
      detail: expect.stringContaining('no container with renewal.role=server serves it'),
      after: [{ name: 'git.example.org', server: null, served: null }],
    });
  });
});

test('the first certificate: a server that writes its configuration when it comes has a moment to name it', async () => {
  const { engine, clock } = world.scene;
  const first = world.certificate(90);
  const began = clock.now().getTime();
  world.served = first;
  world.configured = () => clock.now().getTime() >= began + 2_000;
  world.renewsTo(first);
  expect(await renew()).toMatchObject({ outcome: 'renewed', after: [{ server: 'web-nginx-1', served: first.parsed }] });
  expect(engine.lines()).not.toContain('exec web-nginx-1 nginx -s reload');
});

test('a certificate that no server names is renewed on disk', async () => {
  world.configured = () => false;
  world.renewsTo(world.certificate(90));
  expect(await renew()).toMatchObject({ outcome: 'renewed', after: [{ server: null, served: null, problem: null }] });
});

describe('a renewal that fails', () => {
  const broken = { exitCode: 1, stderr: 'Challenge failed for domain git.example.org\nSome challenges have failed.' };

  test('leaves the old certificate served, is mailed with the log, and tried again the next day', async () => {
    world.certbot = () => broken;
    const ended = await renew('schedule');
    expect(ended).toMatchObject({ status: 'failed', outcome: 'failed', error: { code: 'renewal_failed' } });
    expect(ended.error?.message).toContain('certbot (web-certbot-1) ended with exit code 1');
    expect(world.served).toBe(world.first);
    expect(acts()).toEqual(['start web-certbot-1', 'wait web-certbot-1']);
    const [mail] = mails();
    expect(mail).toMatchObject({
      kind: 'renewal_failed',
      text: expect.stringContaining('Challenge failed for domain'),
    });
    expect(mail?.text).toContain('60 days left');
    const [, retry] = world.renewals();
    expect(retry).toMatchObject({ reason: 'retry', status: 'queued' });
    expect(Date.parse(retry?.dueAt ?? '') - Date.parse(ended.startedAt ?? '')).toBe(24 * HOUR);

    await world.scene.clock.advance(23 * HOUR);
    expect(await workOnce(world.scene.deps)).toBe(false);
    world.renewsTo(world.certificate(90));
    await world.scene.clock.advance(HOUR);
    await world.scene.settle();
    expect(world.renewals().map(({ reason, outcome }) => [reason, outcome])).toEqual([
      ['schedule', 'failed'],
      ['retry', 'renewed'],
    ]);
    expect(mails()).toHaveLength(1);
  });

  test('the retry is kept through a restart', async () => {
    world.certbot = () => broken;
    await renew('schedule');
    world.restart();
    await world.scene.clock.advance(24 * HOUR);
    await world.scene.settle();
    expect(world.renewals().map(({ reason, status }) => [reason, status])).toEqual([
      ['schedule', 'failed'],
      ['retry', 'failed'],
      ['retry', 'queued'],
    ]);
  });

  test('who asks meanwhile takes the retry forward', async () => {
    world.certbot = () => broken;
    await renew('schedule');
    world.renewsTo(world.certificate(90));
    expect(await renew()).toMatchObject({ reason: 'operator', outcome: 'renewed' });
    expect(world.renewals()).toHaveLength(2);
  });

  test('a configuration that does not pass is not reloaded; the next run loads what is on disk', async () => {
    const next = world.certificate(90);
    world.certbot = ({ files }) => {
      files.write('/etc/letsencrypt/live/git.example.org/fullchain.pem', next.pem);
      world.nginx.test = { exitCode: 1, stderr: 'nginx: [emerg] unknown directive "lisen"' };
      return {};
    };
    const ended = await renew();
    expect(ended.error).toMatchObject({ code: 'certificate_not_served' });
    expect(ended.error?.message).toMatch(/not reloaded.*unknown directive.*diun-pilot renew/s);
    expect(acts()).not.toContain('exec web-nginx-1 nginx -s reload');
    expect(world.served).toBe(world.first);
    world.nginx.test = {};
    world.certbot = () => ({});
    expect(await renew()).toMatchObject({ outcome: 'renewed', after: [{ served: next.parsed }] });
  });

  test('a reload that changes nothing is no success, and the next run mends it', async () => {
    const next = world.certificate(90);
    world.renewsTo(next);
    world.nginx.loads = false;
    const ended = await renew();
    expect(ended.error).toMatchObject({
      code: 'certificate_not_served',
      message: expect.stringContaining('git.example.org is still served with the old certificate'),
    });
    world.nginx.loads = true;
    expect(await renew()).toMatchObject({ outcome: 'renewed', after: [{ served: next.parsed }] });
  });

  test('of two certificates one was renewed: it is loaded, and the failure is told', async () => {
    const next = world.certificate(90);
    world.certbot = ({ files }) => {
      files.write('/etc/letsencrypt/live/git.example.org/fullchain.pem', next.pem);
      return { exitCode: 1, stderr: 'The other one failed' };
    };
    const ended = await renew();
    expect(ended.error?.message).toContain('only git.example.org was renewed');
    expect(world.served).toBe(next);
  });

  test('a certbot that does not end is stopped after 20 minutes', async () => {
    const { engine } = world.scene;
    engine.addImage({ reference: 'certbot:stuck' });
    const labels = { 'com.docker.compose.project': 'web', 'renewal.role': 'certbot' };
    engine.runContainer({ name: 'web-stuck-1', image: 'certbot:stuck', labels, stopped: true });
    const ended = await renew();
    expect(ended.error?.message).toMatch(/certbot \(web-stuck-1\) did not finish.*20 minutes/s);
    expect(engine.isRunning('web-stuck-1')).toBe(false);
  });

  test('a certbot that cannot be started is told with the words of the engine', async () => {
    world.scene.engine.failNext('start', new EngineError('engine_refused', 'network web_default not found'));
    expect((await renew()).error?.message).toContain('network web_default not found');
  });
});

describe('nothing to renew', () => {
  test('where no container renews', async () => {
    world.scene.close();
    world = openRenewalScene({ certbots: false });
    expect(await renew()).toMatchObject({
      status: 'succeeded',
      outcome: 'nothing_to_renew',
      detail: expect.stringContaining('renewal.role=certbot'),
    });
  });

  test('what somebody else renewed is loaded all the same', async () => {
    world.scene.close();
    world = openRenewalScene({ certbots: false });
    const next = world.certificate(90);
    world.scene.engine.files('web-nginx-1').write('/etc/letsencrypt/live/git.example.org/fullchain.pem', next.pem);
    expect(await renew()).toMatchObject({ outcome: 'renewed', after: [{ served: next.parsed }] });
  });
});

test('what is served and cannot be asked is told, and nothing is claimed or reloaded for it', async () => {
  world.served = null;
  expect(await renew()).toMatchObject({
    outcome: 'not_due',
    after: [{ served: null, problem: expect.stringContaining('share a network') }],
  });
  expect(acts()).not.toContain('exec web-nginx-1 nginx -s reload');
});

test('a certbot with a timer of its own is not started, but asked inside', async () => {
  const { engine } = world.scene;
  const labels = { 'com.docker.compose.project': 'web', 'renewal.role': 'certbot' };
  const command = 'certbot renew --non-interactive --no-random-sleep-on-renew';
  engine.addImage({ reference: 'certbot:lasting', scripts: { [command]: { exitCode: 1, stderr: 'no luck' } } });
  engine.runContainer({ name: 'web-lasting-1', image: 'certbot:lasting', restart: 'always', labels });
  expect((await renew()).error?.message).toMatch(/web-lasting-1\) ended with exit code 1.*no luck/s);
  expect(engine.isRunning('web-lasting-1')).toBe(true);
  expect(acts()).not.toContain('start web-lasting-1');
});

test('a certbot with a loop of its own and no restart policy is asked inside, and never stopped', async () => {
  const { engine } = world.scene;
  const labels = { 'com.docker.compose.project': 'web', 'renewal.role': 'certbot' };
  const command = 'certbot renew --non-interactive --no-random-sleep-on-renew';
  engine.addImage({ reference: 'certbot:loop', scripts: { [command]: { exitCode: 0 } } });
  const loop = ['sh', '-c', 'while :; do certbot renew; sleep 12h; done'];
  const before = world.scene.clock.now().getTime();
  engine.runContainer({ name: 'web-loop-1', image: 'certbot:loop', labels, entrypoint: loop });
  engine.runContainer({ name: 'web-script-1', image: 'certbot:loop', labels });
  await world.scene.clock.advance(21 * 60_000);
  await renew();
  for (const name of ['web-loop-1', 'web-script-1']) {
    expect(engine.isRunning(name)).toBe(true);
    expect(acts()).toContain(`exec ${name} ${command}`);
    expect(acts()).not.toContain(`stop ${name}`);
  }
  expect(world.scene.clock.now().getTime() - before).toBeLessThan(30 * 60_000);
});

test('the documented command of certbot is no loop, though one of its options names sleep', async () => {
  const { engine } = world.scene;
  const labels = { 'com.docker.compose.project': 'web', 'renewal.role': 'certbot' };
  const entrypoint = ['certbot', 'renew', '--no-random-sleep-on-renew'];
  engine.addImage({ reference: 'certbot:once', health: 'exits' });
  engine.runContainer({ name: 'web-once-1', image: 'certbot:once', labels, stopped: true, entrypoint });
  await renew();
  expect(acts()).toContain('start web-once-1');
  expect(acts().filter((act) => act.startsWith('exec web-once-1'))).toEqual([]);
});

test('what docker compose run left behind is not started again', async () => {
  const { engine } = world.scene;
  engine.addImage({ reference: 'certbot:run', health: 'exits' });
  const project = { 'com.docker.compose.project': 'web', 'com.docker.compose.oneoff': 'True' };
  const labels = { ...project, 'renewal.role': 'certbot' };
  engine.runContainer({ name: 'web-certbot-run-1', image: 'certbot:run', labels, stopped: true });
  expect(await renew()).toMatchObject({ outcome: 'not_due' });
});

describe('a crash', () => {
  test.each([
    ['while certbot runs', 'wait', 'before'],
    ['when certbot has ended', 'wait', 'after'],
    ['before the reload', 'exec', 'before'],
  ] as const)(
    '%s: the next start runs it again, and compares with what was there before',
    async (_what, call, when) => {
      const next = world.certificate(90);
      world.renewsTo(next);
      const { id } = requestRenewal(world.scene.deps, { reason: 'schedule' });
      const crashed = world.scene.engine.crashAt(call, when);
      void world.scene.settle();
      await crashed;
      world.certbot = () => ({ stdout: 'not yet due' });
      world.restart();
      await world.scene.settle();
      expect(world.renewals()).toMatchObject([
        { id, outcome: 'renewed', before: [{ disk: world.first.parsed }], after: [{ served: next.parsed }] },
      ]);
    },
  );

  test('before a switch to observe: it waits for `act`, and the certificates are checked meanwhile', async () => {
    world.renewsTo(world.certificate(90));
    const { id } = requestRenewal(world.scene.deps, { reason: 'schedule' });
    const crashed = world.scene.engine.crashAt('wait', 'before');
    void world.scene.settle();
    await crashed;
    world.restart();
    world.scene.deps.mode = 'observe';
    const before = acts();
    await world.scene.settle();
    await createWatch(world.scene.deps)();
    expect(world.renewals()).toMatchObject([{ id, status: 'queued', before: [{ disk: world.first.parsed }] }]);
    expect(world.scene.store.certificates.list()).toMatchObject([{ name: 'git.example.org' }]);
    expect(acts()).toEqual(before);
    world.scene.deps.mode = 'act';
    await world.scene.settle();
    expect(world.renewals()).toMatchObject([{ id, outcome: 'renewed' }]);
  });

  test('an engine that goes away claims nothing: it goes on when it is back', async () => {
    world.renewsTo(world.certificate(90));
    const { id } = requestRenewal(world.scene.deps, { reason: 'schedule' });
    world.scene.engine.onCall('wait', () => void (world.scene.engine.reachable = false), { once: true });
    await expect(world.scene.settle()).rejects.toMatchObject({ code: 'engine_unreachable' });
    expect(world.scene.store.renewals.get(id)).toMatchObject({ status: 'running', outcome: null });
    world.scene.engine.reachable = true;
    await world.scene.settle();
    expect(world.scene.store.renewals.get(id)).toMatchObject({ status: 'succeeded', outcome: 'renewed' });
  });
});
