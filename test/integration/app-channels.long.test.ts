import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp, type App } from '../../src/app';
import { loadSettings } from '../../src/config/load';
import { updateFailed } from '../../src/notifications/mails/update-failed';
import { postMail } from '../../src/notifications/post-mail';
import { aFailedUpdate, anUpdate, failedNews } from '../support/news-builder';
import { recordingLogger } from '../support/recording-logger';

const folder = mkdtempSync(join(tmpdir(), 'app-channels-'));
const opened: App[] = [];
afterAll(async () => {
  for (const app of opened) await app.close();
  rmSync(folder, { recursive: true });
});

/** No engine answers, so nothing but the channels is at work; ports 1 and 2 take no notice. */
function open(notify?: string): App {
  const env = {
    ...{ PILOT_DATA_DIR: folder, PILOT_HOST: '127.0.0.1', PILOT_PORT: '0', DOCKER_HOST: 'unix:///nowhere/docker.sock' },
    ...(notify === undefined ? {} : { PILOT_NOTIFY_URL: notify }),
  };
  return openApp(loadSettings(env, { generateSecrets: true }), { logger: recordingLogger().logger });
}

test('what a channel refused goes to its corrected address', async () => {
  const wrong = open('ntfy://:old@127.0.0.1:2/alerts');
  await wrong.startServing();
  const mail = postMail(
    wrong.store.outbox,
    updateFailed(failedNews({ update: anUpdate({ ...aFailedUpdate(), status: 'failed' }), quarantined: false })),
  );
  wrong.store.channels.of(wrong.channels[0]?.id ?? '').refused(mail, '401');
  await wrong.close();
  const right = open('ntfy://:new@127.0.0.1:2/alerts');
  opened.push(right);
  await right.startServing();
  expect(right.store.channels.of(right.channels[0]?.id ?? '').state()).toMatchObject({ pending: 1, refused: 0 });
});

test('a command with other settings gives up no notice of the service', async () => {
  const service = open('ntfy://127.0.0.1:1/alerts');
  const [channel] = service.channels;
  await service.startServing();
  opened.push(service);
  const update = anUpdate({ ...aFailedUpdate(), status: 'failed' });
  postMail(service.store.outbox, updateFailed(failedNews({ update, quarantined: false })));
  const command = open();
  await command.close();
  expect(service.store.channels.of(channel?.id ?? '').state()).toMatchObject({ pending: 1 });
});
