import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';
import { loadSettings } from '../../../src/config/load';
import type { Settings } from '../../../src/config/schema';
import { readNotifyUrls } from '../../../src/config/urls';
import { readWindow } from '../../../src/domain/decision/update-window';
import { readLabels } from '../../../src/domain/labels/read-labels';

// What an operator copies out of the documentation is read by the code that reads the settings and the labels.

const doc = (name: string): string => readFileSync(join(__dirname, '../../../docs', name), 'utf8');
/** The fenced blocks of one language. */
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, block = '']) => block);
const code = (text: string): string[] => [...text.matchAll(/`([^`\n]+)`/g)].map(([, words = '']) => words);
/** Lines of `.env`, each as Compose and Node read it. */
const envLines = (block: string): Record<string, string>[] =>
  block
    .split('\n')
    .filter((line) => /^PILOT_\w+=/.test(line))
    .map((line) => parseEnv(line) as Record<string, string>);
const NOTIFICATIONS = doc('notifications.md');
const SECRET = { PILOT_NOTIFY_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };
const load = (env: Record<string, string>): Settings =>
  loadSettings({ PILOT_DATA_DIR: '/tmp', ...env }, { generateSecrets: false });
const channelsOf = (env: Record<string, string>): string[] => {
  const secret = /webhook\+/.test(env['PILOT_NOTIFY_URL'] ?? '') ? SECRET : {};
  return load({ ...env, ...secret }).channels.map(({ kind }) => kind);
};

test('there is one example for each kind of channel, and each is taken as a line of .env', () => {
  const lines = blocks(NOTIFICATIONS, 'sh').flatMap(envLines);
  const kinds = lines.filter((line) => 'PILOT_NOTIFY_URL' in line).flatMap(channelsOf);
  expect(new Set(kinds)).toEqual(new Set(['ntfy', 'apprise', 'slack', 'discord', 'mattermost', 'webhook']));
  const secret = lines.find((line) => 'PILOT_NOTIFY_SECRET' in line);
  expect(load({ ...secret, PILOT_NOTIFY_URL: 'webhook+https://example.org/x' }).channels).toHaveLength(1);
});

test('an address has no comment in it', () => {
  const urls = blocks(NOTIFICATIONS, 'sh')
    .flatMap(envLines)
    .flatMap((line) => line['PILOT_NOTIFY_URL'] ?? []);
  expect(urls.length).toBeGreaterThanOrEqual(7);
  expect(urls.filter((url) => /[\s#]/.test(url))).toEqual([]);
});

test('each form of the table of addresses is read as the service of its row', () => {
  const KINDS: Record<string, string> = {
    ...{ ntfy: 'ntfy', 'ntfy with a login': 'ntfy', 'Apprise API': 'apprise', Slack: 'slack', Discord: 'discord' },
    ...{ Mattermost: 'mattermost', 'your own HTTP receiver': 'webhook' },
  };
  const rows = [...NOTIFICATIONS.matchAll(/^\| ([\w ]+?) +\| (`[a-z+]+:\/\/.*) \|$/gm)];
  expect(rows.map(([, service = '']) => KINDS[service.trim()])).toEqual(Object.values(KINDS));
  for (const [, service = '', cell = ''] of rows)
    for (const address of code(cell).filter((words) => words.includes('://') && !words.endsWith('://'))) {
      const read = readNotifyUrls(address);
      expect([address, 'problem' in read ? read.problem : read.value.map(({ kind }) => kind)]).toEqual([
        address,
        [KINDS[service.trim()]],
      ]);
    }
});

test('settings in the text are accepted: several channels, digest, heartbeat', () => {
  const said = code(NOTIFICATIONS);
  const settings = said.filter((words) => /^PILOT_\w+=/.test(words)).map((words) => words.split(/=(.*)/s));
  expect(settings.map(([name]) => name)).toEqual(expect.arrayContaining(['PILOT_NOTIFY_URL', 'PILOT_MAIL_DIGEST']));
  for (const [name = '', value = ''] of settings) expect(() => load({ [name]: value })).not.toThrow();
  const [several = ''] = said.filter((words) => words.startsWith('PILOT_NOTIFY_URL=')).map((words) => words.slice(17));
  expect(channelsOf({ PILOT_NOTIFY_URL: several })).toEqual(['ntfy', 'slack']);
  const heartbeat = NOTIFICATIONS.slice(NOTIFICATIONS.indexOf('## Heartbeat'), NOTIFICATIONS.indexOf('## Prometheus'));
  const addresses = code(heartbeat).filter((words) => words.startsWith('https://'));
  expect(addresses).toHaveLength(2);
  for (const PILOT_HEARTBEAT_URL of addresses) expect(load({ PILOT_HEARTBEAT_URL }).heartbeat).not.toBeNull();
});

test('the job of the Prometheus example has the name that the alert rules ask for', () => {
  const [job] = (parse(blocks(NOTIFICATIONS, 'yaml').at(-1) ?? '') as { scrape_configs: { job_name: string }[] })
    .scrape_configs;
  expect(doc('monitoring/alerts.yml')).toContain(`up{job="${job?.job_name}"}`);
});

test('hosts, tokens and labels of the release notes are accepted', () => {
  const text = doc('release-notes.md');
  const env = Object.assign({}, ...blocks(text, 'sh').flatMap(envLines)) as Record<string, string>;
  const { hosts, tokens } = load(env).notes;
  expect(hosts.map(({ host }) => host)).toEqual(['git.example.org', 'git.lan']);
  expect([...tokens.keys()]).toEqual(['github.com', 'git.example.org']);
  const { labels } = parse(blocks(text, 'yaml')[0] ?? '') as { labels: Record<string, string> };
  expect(readLabels(labels)).toMatchObject({ problems: [], askOn: ['breaking', 'migration'] });
});

test('every window that the documentation of the labels shows can be read', () => {
  const windows = code(doc('labels.md')).filter((words) => /^[\w,; -]*\d\d:\d\d-\d\d:\d\d/.test(words));
  expect(windows.length).toBeGreaterThanOrEqual(3);
  expect(windows.filter((words) => 'problem' in readWindow(words))).toEqual([]);
});
