import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import supertest from 'supertest';
import { createChannel } from '../../src/adapters/channels/channels';
import { readNotifyUrls } from '../../src/config/urls';
import { systemClock } from '../../src/lib/clock';
import { createNoticeDelivery } from '../../src/notifications/deliver';
import { updateFailed } from '../../src/notifications/mails/update-failed';
import { postMail } from '../../src/notifications/post-mail';
import type { Channel } from '../../src/ports/mail-transport';
import { runOn } from '../support/cli-app';
import { asPerson, startHttp, type RunningHttp } from '../support/http-app';
import { aFailedUpdate, anUpdate, failedNews } from '../support/news-builder';
import { recordingLogger } from '../support/recording-logger';
import { openScene, type Scene } from '../support/scene';

// A channel that refuses for good is shown wherever an operator looks, and only there with the words of its service.

let service: Server;
let scene: Scene;
let http: RunningHttp;
let channel: Channel;
let status: number;
beforeEach(async () => {
  service = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status).end('no such <b>token</b>'));
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const read = readNotifyUrls(
    `slack+http://127.0.0.1:${(service.address() as AddressInfo).port}/services/secret-token`,
  );
  const target = 'problem' in read ? undefined : read.value[0];
  if (target === undefined) throw new Error('no channel');
  scene = openScene();
  channel = createChannel({ target, secret: null, now: () => scene.clock.now() });
  http = await startHttp({ store: scene.store, clock: scene.clock, channels: [channel] });
  scene.store.channels.use([channel]);
});
afterEach(async () => {
  await http.stop();
  scene.close();
  await new Promise((resolve) => service.close(resolve));
});

async function deliver(answer: number): Promise<void> {
  status = answer;
  const update = anUpdate({ ...aFailedUpdate(), status: 'failed' });
  postMail(scene.store.outbox, updateFailed(failedNews({ update, quarantined: false })));
  const { logger } = recordingLogger();
  const clock = { now: () => scene.clock.now(), sleep: systemClock.sleep.bind(systemClock) };
  await createNoticeDelivery({ store: scene.store, channel, clock, logger }).deliverDue();
}

const health = async () => (await supertest(http.url).get('/health').expect(200)) as { text: string; body: Health };
const page = async () => (await supertest(http.url).get('/').set(asPerson).set('Accept', 'text/html').expect(200)).text;
const check = async () => {
  const clock = { now: () => scene.clock.now(), sleep: systemClock.sleep.bind(systemClock) };
  return (await runOn(scene, ['check'], { app: { channels: [channel], clock } })).stdout;
};
interface Health {
  status: string;
  checks: { channels: object };
}

test('a refusal is in /health without the words of the service, on the page and in check with them', async () => {
  await deliver(403);
  const { text, body } = await health();
  expect(body).toMatchObject({
    status: 'degraded',
    checks: {
      channels: { status: 'degraded', reason: expect.stringContaining(`1 notice was refused by ${channel.name}`) },
    },
  });
  expect(body.checks.channels).toMatchObject({
    reason: expect.stringMatching(/check --notify.*PILOT_NOTIFY_URL.*restart/),
  });
  expect(text).not.toMatch(/no such|secret-token/);

  const shown = await page();
  expect(shown).toMatch(/Needs attention[^]*<a href="#channels">[^]*1 notice was refused/);
  expect(shown).toMatch(/<h2 id="channels">[^]*1 refused; retried at the next start[^]*403: no such &lt;b>token/);
  expect(shown).not.toContain('secret-token');

  expect(await check()).toMatch(
    new RegExp(`^note +Channel ${channel.name} +1 notice was refused by ${channel.name} \\(.*403: no such`, 'm'),
  );
});

test('a channel that is down is no fault at first, and is one after a quarter of an hour', async () => {
  await deliver(500);
  expect((await health()).body).toMatchObject({ status: 'ok' });
  expect(await check()).toMatch(/^note +Channel .*1 notice waiting to be delivered\..*500/m);
  await scene.clock.advance(16 * 60_000);
  expect((await health()).body.checks.channels).toMatchObject({
    reason: expect.stringContaining('1 notice is waiting'),
  });
  expect(await page()).toMatch(/1 not delivered yet, the oldest/);
});

test('nothing is shown while everything is delivered', async () => {
  await deliver(200);
  expect((await health()).body).toMatchObject({ status: 'ok', checks: { channels: { status: 'ok' } } });
  expect(await page()).toMatch(/<h2 id="channels">[^]*everything was delivered/);
  expect(await check()).toMatch(/^ok +Channel .*nothing pending/m);
});
