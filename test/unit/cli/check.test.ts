import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/lib/clock';
import { MailError, StorageError } from '../../../src/domain/errors';
import { runOn, type Terminal } from '../../support/cli-app';
import { nginx, notification, openScene, type Scene } from '../../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
});
afterEach(() => scene.close());

/** On the real clock: storage and mail are real files, which a clock that jumps would not wait for. */
const run = (args: string[], terminal: Terminal = {}) =>
  runOn(scene, args, { ...terminal, app: { clock: systemClock, ...terminal.app } });

test('when all is well it says what works and how each watched container would be treated', async () => {
  scene.engine.runContainer(nginx({ labels: { 'update.allow': 'patch', 'update.probe': 'nginx' } }));
  scene.engine.runContainer(nginx({ name: 'not-ours', labels: { 'diun.enable': 'false' }, ports: {} }));
  scene.hear('docker.io/library/nginx:stable', `sha256:${'a'.repeat(64)}`);
  const { code, stdout, stderr } = await run(['check']);
  expect(stderr).toBe('');
  for (const what of ['Settings', 'Docker', 'Database', 'Backups', 'Mail', 'Outbox', 'Diun']) {
    expect(stdout).toMatch(new RegExp(`^ok +${what} `, 'm'));
  }
  expect(stdout).toMatch(/Diun +last notification 2026-01-05 /);
  expect(stdout).toMatch(
    /web-nginx-1 +nginx:stable +automatic +patch +nginx +none +up to patch at once; a larger one waits for approval/,
  );
  expect(stdout).toMatch(/^Not watched: not-ours$/m);
  expect(code).toBe(0);
});

test('check says that diun-pilot observes, and what ends it; suggest is named for what is not watched', async () => {
  scene.engine.runContainer(nginx({ name: 'not-ours', labels: { 'diun.enable': 'false' }, ports: {} }));
  const observing = await run(['check'], { env: { PILOT_MODE: 'observe' } });
  expect(observing.stdout).toMatch(/^note +Mode +diun-pilot observes .*set PILOT_MODE=act/m);
  expect(observing.stdout).toContain('diun-pilot suggest');
  expect(observing.code).toBe(0);
  expect((await run(['check'])).stdout).not.toContain('observes');
});

test('the next runs of the timers are told, with what came of the last; trouble is a note, no failure', async () => {
  const trouble = 'a registry could not be asked';
  scene.store.timers.ring('backup', '2026-01-05T02:00:00.000Z');
  scene.store.timers.done('backup', '2026-01-05T02:00:00.000Z', { outcome: 'Requested: web.', trouble });
  const { code, stdout } = await run(['check']);
  expect(stdout).toMatch(/^note +Timer backup +next 2026-01-06 02:00; last 2026-01-05 03:00: Requested: web\.$/m);
  expect(stdout).toMatch(/^ok +Timer reconcile +switched off$/m);
  expect(code).toBe(0);
});

test('where the tokens are is told, the tokens are not, and none is made', async () => {
  const env = { PILOT_API_TOKEN: 'a-token-of-the-operator-1234567890' };
  const { stdout } = await run(['check'], { env });
  expect(stdout).toContain(join(scene.folder, 'secrets', 'webhook-token'));
  expect(stdout).not.toContain(env.PILOT_API_TOKEN);
  expect(existsSync(join(scene.folder, 'secrets'))).toBe(false);
});

test.each([['PILOT_API_TOKEN'], ['PILOT_WEBHOOK_TOKEN'], ['PILOT_APPROVAL_SECRET']])(
  'a %s that could be guessed is a note with the remedy',
  async (name) => {
    const { code, stdout } = await run(['check'], { env: { [name]: 'hunter2' } });
    expect(stdout).toMatch(
      new RegExp(`^note +Settings .*; ${name} is short enough to be guessed.*openssl rand -hex 32`, 'm'),
    );
    expect(stdout).not.toContain('hunter2');
    expect(code).toBe(0);
  },
);

test('Diun that was never heard is a note with the remedy, no failure', async () => {
  const { code, stdout } = await run(['check']);
  expect(stdout).toMatch(/^note +Diun +no notification yet: .*diun\.yml.*method POST.*diun notif test/m);
  expect(stdout).toMatch(/Nothing is watched\./);
  expect(code).toBe(0);
});

test('every failure is shown at once, each with what to do, and ends with 1', async () => {
  scene.engine.reachable = false;
  const refuse = <E extends Error>(error: E) => ({ check: () => Promise.reject(error) });
  const { code, stdout } = await run(['check'], {
    app: {
      storage: {
        ...scene.deps.storage,
        put: () => Promise.reject(new StorageError('storage_refused', 'Give it a key that may write.')),
      },
      transport: {
        send: () => Promise.reject(new Error('not asked')),
        ...refuse(new MailError('mail_refused', 'Verify the sender.', true)),
      },
      store: {
        ...scene.store,
        check: () => {
          throw new Error('database disk image is malformed');
        },
      },
    },
  });
  expect(stdout).toMatch(/^FAILED +Docker /m);
  expect(stdout).toMatch(/^FAILED +Backups +Give it a key that may write\.$/m);
  expect(stdout).toMatch(/^FAILED +Mail +Verify the sender\.$/m);
  expect(stdout).toMatch(/^FAILED +Database +database disk image is malformed$/m);
  expect(stdout).toContain('The watched containers are not known');
  expect(code).toBe(1);
});

test('what never answers is given up', async () => {
  const version = (): Promise<never> => new Promise(() => undefined);
  const engine = Object.assign(Object.create(scene.engine) as typeof scene.engine, { version });
  const { code, stdout } = await run(['check'], { app: { engine, clock: scene.clock } });
  expect(stdout).toMatch(/^FAILED +Docker +no answer within 30 s$/m);
  expect(code).toBe(1);
});

test('a label with a typo is a failure that names container, label and value', async () => {
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'automatik' } }));
  const { code, stdout } = await run(['check']);
  expect(stdout).toMatch(/^FAILED +Labels +web-nginx-1: update\.policy=automatik: /m);
  expect(stdout).toMatch(/web-nginx-1 .*every update waits for approval/);
  expect(code).toBe(1);
});

test('refused mails are a note', async () => {
  const id = scene.store.outbox.add({ kind: 'test', updateId: null, subject: 's', html: 'h', text: 't' });
  scene.store.outbox.refused(id, '550 no such user');
  const { code, stdout } = await run(['check']);
  expect(stdout).toMatch(
    /^note +Outbox +1 mail was refused by the mail server \(550 no such user\): fix the settings and restart$/m,
  );
  expect(code).toBe(0);
});

test('wrong settings are listed all at once, and nothing else is tried', async () => {
  const env = { PILOT_PORT: 'eighty', PILOT_APPROVAL_TTL: 'soon' };
  const { code, stdout, stderr } = await run(['check'], { env });
  expect(stderr).toMatch(/settings are wrong:\n[^]*PILOT_APPROVAL_TTL: [^]*PILOT_PORT: /);
  expect([code, stdout]).toEqual([1, '']);
});

test('--json gives the same for machines', async () => {
  scene.engine.runContainer(nginx());
  scene.store.inbox.reject(notification('x', 'y'), 'no digest');
  const { stdout } = await run(['check', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    findings: expect.arrayContaining([expect.objectContaining({ what: 'Docker', status: 'ok' })]),
    watched: [{ container: 'web-nginx-1', policy: 'automatic', problems: [] }],
    notWatched: [],
  });
});

test.each([
  ['update.window', 'Sat 02:00-02:00', /update\.window=Sat 02:00-02:00: .*never opens: it ends when it begins/],
  ['update.window', 'at night', /update\.window=at night: .*must look like Sat,Sun 02:00-05:00/],
  ['update.min-age', 'young', /update\.min-age=young: /],
  ['update.soak', 'a while', /update\.soak=a while: /],
  ['update.keep-images', '-1', /update\.keep-images=-1: /],
  ['update.ask-on', 'braking', /update\.ask-on=braking: .*breaking/],
])(
  'a label %s that cannot be followed (%s) is reported with what it must be, and fails',
  async (label, value, line) => {
    scene.engine.runContainer(nginx({ labels: { [label]: value } }));
    const { code, stdout } = await run(['check']);
    expect(stdout).toMatch(new RegExp(`^FAILED +Labels +web-nginx-1: ${line.source}`, 'm'));
    expect(code).toBe(1);
  },
);

test('--notify sends a test notice to every channel, and a channel that refuses it fails the check', async () => {
  const sent: string[] = [];
  const channel = (name: string, send: () => Promise<void>) => ({
    ...{ kind: 'ntfy' as const, id: name, name, topics: ['failures' as const] },
    send: ({ title }: { title: string }) => (sent.push(`${name}: ${title}`), send()),
  });
  const good = channel('ntfy at good', () => Promise.resolve());
  const bad = channel('ntfy at bad', () => Promise.reject(new MailError('channel_refused', 'It answered 403.', true)));
  scene.store.channels.use([good, bad]);
  const without = await run(['check'], { app: { channels: [good, bad] } });
  expect([without.code, sent]).toEqual([0, []]);
  const { code, stdout } = await run(['check', '--notify'], { app: { channels: [good, bad] } });
  expect(sent).toEqual(['ntfy at good: diun-pilot: test notice', 'ntfy at bad: diun-pilot: test notice']);
  expect(stdout).toMatch(/^ok +Test notice to ntfy at good /m);
  expect(stdout).toMatch(/^FAILED +Test notice to ntfy at bad +It answered 403\./m);
  expect(code).toBe(1);
});

test('--notify without a channel says which setting is missing', async () => {
  const { code, stdout } = await run(['check', '--notify']);
  expect(stdout).toMatch(/^note +Channels .*PILOT_NOTIFY_URL/m);
  expect(code).toBe(0);
});
