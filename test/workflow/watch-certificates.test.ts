import { createWatch, requestRenewal } from '../../src/certificates/renewal-queue';
import { certificateWith } from '../support/make-certificate';
import { openRenewalScene, type RenewalScene } from '../support/renewal-scene';
import { openScene } from '../support/scene';

let world: RenewalScene;
let watch: () => Promise<boolean>;
beforeEach(() => {
  world = openRenewalScene();
  watch = createWatch(world.scene.deps);
});
afterEach(() => world.scene.close());

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const subjects = () => world.scene.mails().map(({ subject }) => subject);

test('looks at start and every six hours, and only reads', async () => {
  await watch();
  expect(world.scene.store.certificates.list()).toMatchObject([
    {
      name: 'git.example.org',
      project: 'web',
      server: 'web-nginx-1',
      disk: world.first.parsed,
      served: world.first.parsed,
    },
  ]);
  const asked = world.scene.engine.callCount;
  await world.scene.clock.advance(5 * HOUR);
  await watch();
  expect(world.scene.engine.callCount).toBe(asked);
  await world.scene.clock.advance(HOUR);
  await watch();
  expect(world.scene.engine.callCount).toBeGreaterThan(asked);
  expect(world.scene.engine.lines().filter((line) => !/^archive|nginx -T$/.test(line))).toEqual([]);
});

test('a clock that is set back delays no look', async () => {
  await watch();
  const asked = world.scene.engine.callCount;
  await world.scene.clock.advance(-365 * DAY);
  await watch();
  expect(world.scene.engine.callCount).toBeGreaterThan(asked);
});

test('a host without certificates has none, and no mail', async () => {
  const empty = openScene();
  await createWatch(empty.deps)();
  expect(empty.store.certificates.list()).toEqual([]);
  expect(empty.mails()).toEqual([]);
  empty.close();
});

describe('a certificate of six days', () => {
  const keepSchedule = (): void => {
    const weekly = { expression: '30 3 * * 0', timeZone: 'UTC' };
    world.scene.store.timers.keep('renewal', weekly, world.scene.clock.now().toISOString());
  };
  const reasons = () => world.renewals().map(({ reason, status }) => [reason, status]);
  beforeEach(() => {
    const short = certificateWith(world.scene.clock.now(), { lifetime: 6, left: 6 });
    world.scene.engine.files('web-nginx-1').write('/etc/letsencrypt/live/git.example.org/fullchain.pem', short.pem);
  });

  test('is renewed by the six-hourly check when a third of its lifetime is left, and not before', async () => {
    keepSchedule();
    for (let hours = 0; hours < 4 * 24; hours += 6) {
      await watch();
      expect(reasons()).toEqual([]);
      await world.scene.clock.advance(6 * HOUR);
    }
    await world.scene.clock.advance(HOUR);
    await watch();
    await world.scene.clock.advance(6 * HOUR);
    await watch();
    expect(reasons()).toEqual([['schedule', 'queued']]);
  });

  test('is left to the operator who has switched renewals off', async () => {
    await world.scene.clock.advance(5 * DAY);
    await watch();
    expect(reasons()).toEqual([]);
  });

  test('is renewed also where a renewal of a time that is still to come is the newest', async () => {
    keepSchedule();
    await world.scene.clock.advance(365 * DAY);
    const { id } = requestRenewal(world.scene.deps, { reason: 'operator' });
    world.scene.store.renewals.change(id, { status: 'succeeded' });
    await world.scene.clock.advance(-360 * DAY);
    await watch();
    expect(reasons()).toContainEqual(['schedule', 'queued']);
  });

  test('is tried at most once a day', async () => {
    keepSchedule();
    await world.scene.clock.advance(5 * DAY);
    await watch();
    const [queued] = world.renewals();
    world.scene.store.renewals.change(queued?.id ?? '', { status: 'succeeded' });
    await world.scene.clock.advance(6 * HOUR);
    await watch();
    expect(world.renewals()).toHaveLength(1);
  });
});

test('a mail at a quarter of its lifetime, and again with 7, 3 and 1 days left and at its end, each once', async () => {
  for (let day = 0; day < 63; day++) {
    await watch();
    await world.scene.clock.advance(DAY);
  }
  expect(subjects()).toEqual([
    '[diun-pilot] git.example.org: its certificate expires in 22 days – please renew it',
    '[diun-pilot] git.example.org: its certificate expires in 6 days – please renew it',
    '[diun-pilot] git.example.org: its certificate expires in 2 days – please renew it',
    '[diun-pilot] git.example.org: its certificate expires in less than a day – please renew it',
    '[diun-pilot] git.example.org: its certificate has expired – please renew it',
  ]);
});

test('nothing is mailed twice after a restart', async () => {
  await world.scene.clock.advance(40 * DAY);
  await watch();
  world.restart();
  await createWatch(world.scene.deps)();
  expect(subjects()).toHaveLength(1);
});

test('of a newer one that is on disk and not loaded, the mail says what to do', async () => {
  await world.scene.clock.advance(40 * DAY);
  const next = world.certificate(90);
  world.scene.engine.files('web-nginx-1').write('/etc/letsencrypt/live/git.example.org/fullchain.pem', next.pem);
  await watch();
  const [mail] = world.scene.mails();
  expect(mail?.text).toContain('A different certificate is on disk, but the server has not loaded it');
  expect(world.scene.mails()).toHaveLength(1);
});

test('while a renewal runs it keeps out of its way', async () => {
  const { id } = requestRenewal(world.scene.deps, { reason: 'operator' });
  world.scene.store.renewals.change(id, { status: 'running' });
  await watch();
  expect(world.scene.store.certificates.list()).toEqual([]);
  world.scene.store.renewals.change(id, { status: 'succeeded' });
  await watch();
  expect(world.scene.store.certificates.list()).toHaveLength(1);
});

test('a server that is stopped is told, not left out', async () => {
  await world.scene.engine.stop('web-nginx-1');
  await watch();
  expect(world.scene.store.certificates.list()).toMatchObject([
    { name: 'git.example.org', server: null, disk: world.first.parsed },
    { name: 'web-nginx-1', disk: null, problem: expect.stringContaining('not running') },
  ]);
});
