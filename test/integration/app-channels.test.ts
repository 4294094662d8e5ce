import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp, type App } from '../../src/app';
import { loadSettings } from '../../src/config/load';
import { updateFailed } from '../../src/notifications/mails/update-failed';
import { postMail } from '../../src/notifications/post-mail';
import { aFailedUpdate, anUpdate, news } from '../support/news-builder';
import { recordingLogger } from '../support/recording-logger';

const folder = mkdtempSync(join(tmpdir(), 'app-channels-'));
const opened: App[] = [];
afterAll(async () => {
  for (const app of opened) await app.close();
  rmSync(folder, { recursive: true });
});

/** No engine answers, so nothing but the channels is at work; port 1 takes no notice. */
function open(notify?: string): App {
  const env = {
    ...{ PILOT_DATA_DIR: folder, PILOT_HOST: '127.0.0.1', PILOT_PORT: '0', DOCKER_HOST: 'unix:///nowhere/docker.sock' },
    ...(notify === undefined ? {} : { PILOT_NOTIFY_URL: notify }),
  };
  return openApp(loadSettings(env, { generateSecrets: true }), { logger: recordingLogger().logger });
}

test('a command with other settings gives up no notice of the service', async () => {
  const service = open('ntfy://127.0.0.1:1/alerts');
  const [channel] = service.channels;
  await service.startServing();
  opened.push(service);
  const update = anUpdate({ ...aFailedUpdate(), status: 'failed' });
  postMail(service.store.outbox, updateFailed({ ...news({ update }), quarantined: false }));
  const command = open();
  await command.close();
  expect(service.store.channels.of(channel?.id ?? '').state()).toMatchObject({ pending: 1 });
});
