import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { loadSettings } from '../../../src/config/load';
import type { Settings } from '../../../src/config/schema';
import { PilotError } from '../../../src/domain/errors';
import { Secret } from '../../../src/lib/secret';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'settings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const TOKEN = 'a-token-of-the-tests-1';
const load = (env: Record<string, string> = {}, generateSecrets = true): Settings =>
  loadSettings({ PILOT_DATA_DIR: path.join(folder, 'data'), ...env }, { generateSecrets });

function problems(env: Record<string, string>): string[] {
  try {
    load(env);
  } catch (error) {
    expect(error).toBeInstanceOf(PilotError);
    expect(error).toHaveProperty('code', 'invalid_settings');
    return (error as PilotError).message.split('\n');
  }
  return [];
}

function file(name: string, content: string): string {
  const at = path.join(folder, name);
  writeFileSync(at, content);
  return at;
}

describe('with nothing set', () => {
  test('the service starts on the defaults of the contract, below the data directory', () => {
    const { webhookTokens, apiToken, approvalSecrets, timeZone, ...rest } = load();
    const data = path.join(folder, 'data');
    expect(rest).toEqual({
      host: '0.0.0.0',
      port: 8080,
      publicUrl: 'http://localhost:8080',
      trustedProxies: [],
      dataDir: data,
      approvalTtlMs: 72 * 3_600_000,
      backup: { kind: 'file', directory: path.join(data, 'backups') },
      mail: { kind: 'file', directory: path.join(data, 'mail') },
      mailFrom: 'diun-pilot@localhost',
      mailTo: ['operator@localhost'],
      mailDigest: null,
      channels: [],
      notifySecret: null,
      heartbeat: null,
      schedules: { backup: '0 2 * * *', renewal: '30 3 * * 0', reconcile: '0 4 * * *' },
      retention: { daily: 7, weekly: 4, monthly: 6 },
      backupReuseMs: 3_600_000,
      updateWindow: null,
      notes: { hosts: [], tokens: new Map() },
      minAgeMs: 0,
      keepImages: null,
      verify: { kind: 'off' },
      trustedRoot: null,
      mode: 'act',
      logLevel: 'info',
      dockerHost: null,
      dockerConfigDir: null,
      awsEndpoint: false,
      awsVariables: {},
    });
    expect(timeZone).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
    const secrets = [...webhookTokens, apiToken, ...approvalSecrets].map((secret) => secret.reveal());
    expect(new Set(secrets).size).toBe(3);
    for (const secret of secrets) expect(secret).toMatch(/^[\w-]{43}$/);
  });

  test('secrets are made once, and for the owner alone', () => {
    const first = load().apiToken.reveal();
    expect(load().apiToken.reveal()).toBe(first);
    const secrets = path.join(folder, 'data', 'secrets');
    expect(statSync(secrets).mode & 0o777).toBe(0o700);
    for (const name of ['webhook-token', 'api-token', 'approval-secret']) {
      expect(statSync(path.join(secrets, name)).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(path.join(secrets, 'api-token'), 'utf8')).toBe(`${first}\n`);
  });

  test('a look that may not write makes no secret on the disk, and reads those that are there', () => {
    expect(load({}, false).apiToken.reveal()).not.toBe(load({}, false).apiToken.reveal());
    expect(existsSync(path.join(folder, 'data'))).toBe(false);
    const made = load().apiToken.reveal();
    expect(load({}, false).apiToken.reveal()).toBe(made);
  });

  test('an empty value counts as not set, as Compose writes it', () => {
    expect(
      load({ PILOT_PORT: '', PILOT_API_TOKEN: '', PILOT_MAIL_URL: ' ', PILOT_API_TOKEN_FILE: '', TZ: '' }).port,
    ).toBe(8080);
  });

  test('a secret file that was edited by hand is held to the same rules', () => {
    load();
    writeFileSync(path.join(folder, 'data', 'secrets', 'webhook-token'), `${TOKEN},two words\n`);
    expect(problems({})).toEqual([
      expect.stringMatching(/^PILOT_WEBHOOK_TOKEN: PILOT_DATA_DIR\/secrets\/webhook-token: must be/),
    ]);
    writeFileSync(path.join(folder, 'data', 'secrets', 'webhook-token'), `${TOKEN},${TOKEN}-2\n`);
    expect(load().webhookTokens).toHaveLength(2);
  });
});

test('everything that is set is read', () => {
  const settings = load({
    PILOT_HOST: '127.0.0.1',
    PILOT_PORT: '0',
    PILOT_PUBLIC_URL: 'https://git.example.org/pilot/',
    PILOT_WEBHOOK_TOKEN: `${TOKEN}, ${TOKEN}-old`,
    PILOT_API_TOKEN: TOKEN,
    PILOT_APPROVAL_SECRET: `${TOKEN}-new,${TOKEN}-old`,
    PILOT_APPROVAL_TTL: '30m',
    PILOT_BACKUP_URL: 's3://my-bucket/some/prefix/',
    PILOT_MAIL_URL: 'smtp://user:p%40ss@mail.example.org:587',
    PILOT_MAIL_FROM: 'Diun Pilot <pilot@example.org>',
    PILOT_MAIL_TO: 'a@example.org, B <b@example.org>',
    PILOT_BACKUP_SCHEDULE: 'off',
    PILOT_RENEWAL_SCHEDULE: '*/5 * * * *',
    PILOT_RECONCILE_SCHEDULE: '15 30 4 * * MON',
    PILOT_TRUSTED_PROXY: '10.1.2.3, 10.1.0.0/16,fd00::/8, edge',
    PILOT_BACKUP_RETENTION: '6m, 1d',
    PILOT_MODE: 'observe',
    PILOT_LOG_LEVEL: 'debug',
    TZ: 'Europe/Berlin',
    DOCKER_HOST: 'tcp://docker:2375',
    DOCKER_CONFIG: '/etc/docker-client',
    AWS_ENDPOINT_URL_S3: 'http://minio:9000',
  });
  expect(settings).toMatchObject({
    host: '127.0.0.1',
    port: 0,
    publicUrl: 'https://git.example.org/pilot',
    approvalTtlMs: 1_800_000,
    backup: { kind: 's3', bucket: 'my-bucket', prefix: 'some/prefix' },
    mailFrom: 'Diun Pilot <pilot@example.org>',
    mailTo: ['a@example.org', 'B <b@example.org>'],
    schedules: { backup: null, renewal: '*/5 * * * *', reconcile: '15 30 4 * * MON' },
    retention: { daily: 1, weekly: 0, monthly: 6 },
    mode: 'observe',
    logLevel: 'debug',
    timeZone: 'Europe/Berlin',
    dockerHost: 'tcp://docker:2375',
    dockerConfigDir: '/etc/docker-client',
    awsEndpoint: true,
  });
  expect(settings.webhookTokens.map((token) => token.reveal())).toEqual([TOKEN, `${TOKEN}-old`]);
  expect(settings.approvalSecrets.map((secret) => secret.reveal())).toEqual([`${TOKEN}-new`, `${TOKEN}-old`]);
  expect(settings.apiToken.reveal()).toBe(TOKEN);
  expect(settings.mail.kind === 'smtp' && settings.mail.url.reveal()).toBe('smtp://user:p%40ss@mail.example.org:587');
  expect(existsSync(path.join(folder, 'data'))).toBe(false);
});

test('folders of their own, the home of the Docker client, and no bucket prefix', () => {
  expect(
    load({ PILOT_BACKUP_URL: 'file:///srv/my%20backups', PILOT_MAIL_URL: 'file:///srv/mail', HOME: '/home/me' }),
  ).toMatchObject({
    backup: { kind: 'file', directory: '/srv/my backups' },
    mail: { kind: 'file', directory: '/srv/mail' },
    dockerConfigDir: '/home/me/.docker',
  });
  expect(load({ PILOT_BACKUP_URL: 's3://bucket' }).backup).toEqual({ kind: 's3', bucket: 'bucket', prefix: '' });
});

describe('secrets', () => {
  test('may come from files, without what an editor leaves around them', () => {
    const settings = load({
      PILOT_API_TOKEN_FILE: file('api', `${TOKEN}\n`),
      PILOT_WEBHOOK_TOKEN_FILE: file('webhook', `${TOKEN},${TOKEN}-old\r\n`),
      PILOT_APPROVAL_SECRET_FILE: file('approval', `\u{feff}${TOKEN} \n\n`),
      PILOT_MAIL_URL_FILE: file('mail', 'ses:\n\n'),
      PILOT_MAIL_FROM: 'a@example.org',
      PILOT_MAIL_TO: 'b@example.org',
    });
    expect(settings.apiToken.reveal()).toBe(TOKEN);
    expect(settings.webhookTokens[1]?.reveal()).toBe(`${TOKEN}-old`);
    expect(settings.approvalSecrets[0]?.reveal()).toBe(TOKEN);
    expect(settings.mail).toEqual({ kind: 'ses' });
  });

  test('the address of the backup storage is one: it may hold a password', () => {
    const settings = load({
      PILOT_BACKUP_URL_FILE: file('backup', 'restic:rest:https://user:password@host/\n'),
      RESTIC_PASSWORD: 'x',
    });
    expect(settings.backup).toMatchObject({
      kind: 'restic',
      repository: new Secret('rest:https://user:password@host/'),
    });
  });

  test('are in nothing that is printed, logged or serialised', () => {
    const env = {
      PILOT_API_TOKEN: `${TOKEN}-hunter2`,
      PILOT_WEBHOOK_TOKEN: `${TOKEN}-hunter2`,
      PILOT_APPROVAL_SECRET: `${TOKEN}-hunter2`,
      PILOT_MAIL_URL: 'smtps://user:hunter2@mail.example.org',
      PILOT_MAIL_FROM: 'a@example.org',
      PILOT_MAIL_TO: 'b@example.org',
    };
    const settings = load(env);
    for (const printed of [JSON.stringify(settings), inspect(settings, { depth: 9 }), String(settings.apiToken)]) {
      expect(printed).not.toContain('hunter2');
    }
    expect(JSON.stringify(settings)).toContain('[redacted]');
  });

  test('are not repeated by the problem that they are', () => {
    const wrong = problems({
      PILOT_API_TOKEN: 'hunter2 ü',
      PILOT_WEBHOOK_TOKEN: 'hunter2,',
      PILOT_MAIL_URL: 'smpt://user:hunter2@x',
    });
    expect(wrong).toHaveLength(3);
    expect(wrong.join()).not.toContain('hunter2');
  });
});

describe('problems', () => {
  test('are listed all at once, each with its name, and nothing is written', () => {
    expect(
      problems({
        PILOT_PORT: '65536',
        PILOT_PUBLIC_URL: 'ftp://x',
        PILOT_APPROVAL_TTL: 'soon',
        PILOT_API_TOKEN: 'two words',
        PILOT_MAIL_URL: 'ses:',
        PILOT_MAIL_TO: 'nobody',
        PILOT_BAKUP_URL: 's3://x',
        TZ: 'Mars/Olympus',
      }),
    ).toEqual([
      'PILOT_API_TOKEN: must be printable ASCII without blanks, or no header can carry it',
      'PILOT_APPROVAL_TTL: must be a duration such as 90s, 10m or 72h',
      'PILOT_BAKUP_URL: unknown setting; did you mean PILOT_BACKUP_URL?',
      'PILOT_MAIL_FROM: is required unless PILOT_MAIL_URL is file:',
      'PILOT_MAIL_TO: must be mail addresses separated by commas, without line breaks',
      'PILOT_PORT: must be a port number from 0 to 65535',
      'PILOT_PUBLIC_URL: must be an address that begins with http:// or https://',
      'TZ: must be the name of a time zone such as Europe/Berlin',
    ]);
    expect(existsSync(path.join(folder, 'data'))).toBe(false);
  });

  test.each([
    ['PILOT_HOST', 'two words'],
    ['PILOT_HOST', '256.1.1.1'],
    ['PILOT_PORT', '80a'],
    ['PILOT_PORT', '-1'],
    ['PILOT_PUBLIC_URL', 'https://user:pass@example.org'],
    ['PILOT_PUBLIC_URL', 'https://example.org/?a=1'],
    ['PILOT_PUBLIC_URL', 'example.org'],
    ['PILOT_WEBHOOK_TOKEN', `${TOKEN},${TOKEN}2,${TOKEN}3`],
    ['PILOT_WEBHOOK_TOKEN', `${TOKEN},`],
    ['PILOT_WEBHOOK_TOKEN', 'a token with blanks'],
    ['PILOT_API_TOKEN', `${TOKEN},${TOKEN}2`],
    ['PILOT_API_TOKEN', 'ein-schlüssel-mit-umlaut'],
    ['PILOT_APPROVAL_SECRET', 'two words'],
    ['PILOT_APPROVAL_TTL', '0s'],
    ['PILOT_APPROVAL_TTL', '9999d'],
    ['PILOT_BACKUP_URL', 's3:///prefix'],
    ['PILOT_BACKUP_URL', 's3://'],
    ['PILOT_BACKUP_URL', 's3://No_Bucket/x'],
    ['PILOT_BACKUP_URL', 's3://key:secret@bucket/x'],
    ['PILOT_BACKUP_URL', 'file://host/path'],
    ['PILOT_BACKUP_URL', 'file:relative'],
    ['PILOT_BACKUP_URL', '/srv/backups'],
    ['PILOT_MAIL_URL', 'smtp://'],
    ['PILOT_MAIL_URL', 'smtp://user:100%@host'],
    ['PILOT_MAIL_URL', 'ses://eu-west-1'],
    ['PILOT_MAIL_FROM', 'a@example.org\r\nBcc: b@example.org'],
    ['PILOT_MAIL_FROM', 'not an address'],
    ['PILOT_MAIL_TO', 'a@example.org,'],
    ['PILOT_MAIL_TO', 'a@example.org\nb@example.org'],
    ['PILOT_BACKUP_SCHEDULE', 'every day'],
    ['PILOT_BACKUP_SCHEDULE', '61 * * * *'],
    ['PILOT_BACKUP_SCHEDULE', '0 2 * *'],
    ['PILOT_BACKUP_SCHEDULE', '0 0 31 2 *'],
    ['PILOT_RENEWAL_SCHEDULE', '2030-01-01'],
    ['PILOT_RECONCILE_SCHEDULE', 'Off'],
    ['PILOT_TRUSTED_PROXY', '10.0.0.0/0'],
    ['PILOT_TRUSTED_PROXY', '10.0.0.0/33'],
    ['PILOT_TRUSTED_PROXY', 'edge/24'],
    ['PILOT_TRUSTED_PROXY', '10.0.0.1,,edge'],
    ['PILOT_TRUSTED_PROXY', '999.1.1.1'],
    ['PILOT_NOTES_HOSTS', 'https://git.example.org'],
    ['PILOT_NOTES_HOSTS', 'git.example.org,'],
    ['PILOT_NOTES_HOSTS', 'git.example.org/team'],
    ['PILOT_NOTES_HOSTS', 'user@git.example.org'],
    ['PILOT_NOTES_HOSTS', 'git.example.org:99999'],
    ['PILOT_NOTES_TOKENS', 'token-alone'],
    ['PILOT_NOTES_TOKENS', 'github.com='],
    ['PILOT_NOTES_TOKENS', 'github.com=a b'],
    ['PILOT_NOTES_TOKENS', 'github.com=a,github.com=b'],
    ['PILOT_BACKUP_RETENTION', '7'],
    ['PILOT_BACKUP_RETENTION', '7d,3d'],
    ['PILOT_BACKUP_RETENTION', '0d,0w,0m'],
    ['PILOT_BACKUP_RETENTION', '9999d'],
    ['PILOT_LOG_LEVEL', 'verbose'],
    ['DOCKER_HOST', '/var/run/docker.sock'],
    ['DOCKER_HOST', 'ssh://root@host'],
    ['DOCKER_HOST', 'tcp://'],
    ['DOCKER_HOST', 'tcp://host:99999'],
    ['PILOT_DATA_DIR', '/proc/diun-pilot'],
    ['PILOT_DATA_DIR', '/proc'],
    ['AWS_ENDPOINT_URL', 'minio:9000'],
  ])('%s=%j is one', (name, value) => {
    expect(problems({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name}: `))]);
  });

  test('a setting and its file at once are one, and so is a file that is missing or empty', () => {
    expect(
      problems({
        PILOT_API_TOKEN: TOKEN,
        PILOT_API_TOKEN_FILE: file('api', TOKEN),
        PILOT_WEBHOOK_TOKEN_FILE: path.join(folder, 'missing'),
        PILOT_APPROVAL_SECRET_FILE: file('empty', '\n'),
      }),
    ).toEqual([
      'PILOT_API_TOKEN: is set, and PILOT_API_TOKEN_FILE too: keep one of them',
      'PILOT_APPROVAL_SECRET_FILE: names a file that is empty',
      'PILOT_WEBHOOK_TOKEN_FILE: names a file that cannot be read (ENOENT)',
    ]);
  });

  test('what is given in a wrong way is not called missing', () => {
    expect(
      problems({
        PILOT_BACKUP_URL: 'restic:/srv/repository',
        RESTIC_PASSWORD: 'x',
        RESTIC_PASSWORD_FILE: file('restic', 'x'),
        PILOT_NOTIFY_URL: 'webhook+https://example.org/hook',
        PILOT_NOTIFY_SECRET_FILE: path.join(folder, 'missing'),
        PILOT_VERIFY: 'identity:.+@https://accounts.google.com',
        PILOT_TRUSTED_ROOT: 'not/absolute',
      }).map((problem) => problem.split(':')[0]),
    ).toEqual(['PILOT_NOTIFY_SECRET_FILE', 'PILOT_TRUSTED_ROOT', 'RESTIC_PASSWORD']);
  });

  test('only secrets may come from files', () => {
    expect(problems({ PILOT_PORT_FILE: file('port', '80') })[0]).toContain('PILOT_PORT_FILE: unknown setting');
  });

  test.each([
    [{ DOCKER_HOST: 'tcp://host:2375', DOCKER_TLS_VERIFY: '1' }, ['DOCKER_HOST']],
    [{ DOCKER_HOST: 'tcp://host:2376' }, ['DOCKER_HOST']],
    [{ DOCKER_HOST: 'https://host:2376', DOCKER_CERT_PATH: '/nowhere' }, Array(3).fill('DOCKER_CERT_PATH')],
    [{ DOCKER_HOST: 'https://host:2376', DOCKER_TLS_VERIFY: '1' }, []],
    [{ DOCKER_HOST: 'tcp://host:2375' }, []],
    [{ DOCKER_HOST: 'unix:///var/run/docker.sock', DOCKER_TLS_VERIFY: '1' }, []],
  ])('no engine is spoken to in plain text that is meant to have TLS: %j', (env, wrong) => {
    expect(problems(env as Record<string, string>).map((line) => line.split(':')[0])).toEqual(wrong);
  });

  test('a name that is near none is no setting either', () => {
    expect(problems({ PILOT_SOMETHING_ELSE_ENTIRELY: '1' })).toEqual([
      'PILOT_SOMETHING_ELSE_ENTIRELY: unknown setting',
    ]);
  });

  test('a data directory that is a file, or below one, is one beside the others', () => {
    const notAFolder = file('file', '');
    for (const dataDir of [notAFolder, path.join(notAFolder, 'below')]) {
      expect(problems({ PILOT_DATA_DIR: dataDir, PILOT_PORT: 'x' })).toEqual([
        'PILOT_DATA_DIR: must be a folder, and there is a file of that name or above it',
        expect.stringMatching(/^PILOT_PORT/),
      ]);
    }
  });

  test('a secrets folder that cannot be used is one of each secret that is missing', () => {
    mkdirSync(path.join(folder, 'data'));
    writeFileSync(path.join(folder, 'data', 'secrets'), 'a file');
    chmodSync(path.join(folder, 'data', 'secrets'), 0o600);
    expect(problems({ PILOT_API_TOKEN: TOKEN }).map((line) => line.split(':')[0])).toEqual([
      'PILOT_APPROVAL_SECRET',
      'PILOT_WEBHOOK_TOKEN',
    ]);
  });
});
