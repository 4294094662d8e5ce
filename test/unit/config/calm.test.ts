import { loadSettings } from '../../../src/config/load';
import { messageOf } from '../../../src/domain/errors';

// The defaults of the labels for calm updates, and the digest and heartbeat: a value that means nothing is refused at the start.

function problemOf(env: Record<string, string>): string {
  try {
    loadSettings({ PILOT_DATA_DIR: '/tmp', ...env }, { generateSecrets: false });
    return '';
  } catch (error) {
    return messageOf(error);
  }
}

test.each([
  ['PILOT_UPDATE_WINDOW', 'Sat 02:00-02:00', /^PILOT_UPDATE_WINDOW: .*never opens/],
  ['PILOT_UPDATE_WINDOW', 'nightly', /^PILOT_UPDATE_WINDOW: must look like Sat,Sun 02:00-05:00/],
  ['PILOT_MIN_AGE', 'three', /^PILOT_MIN_AGE: /],
  ['PILOT_KEEP_IMAGES', '-1', /^PILOT_KEEP_IMAGES: /],
  ['PILOT_MAIL_DIGEST', 'daily', /^PILOT_MAIL_DIGEST: /],
  ['PILOT_HEARTBEAT_URL', 'hc-ping.com/uuid', /^PILOT_HEARTBEAT_URL: /],
  ['PILOT_HEARTBEAT_URL', 'https://me:100%@hc.example.org/uuid', /^PILOT_HEARTBEAT_URL: .*write it as %25/],
  ['PILOT_HEARTBEAT_INTERVAL', 'often', /^PILOT_HEARTBEAT_INTERVAL: /],
  ['PILOT_NOTIFY_URL', 'webhook+https://example.org/x', /PILOT_NOTIFY_SECRET/],
])('%s=%s is refused, and the problem says what it must be', (name, value, problem) => {
  expect(problemOf({ [name]: value })).toMatch(problem);
});

test.each([
  ['PILOT_UPDATE_WINDOW', 'Mon-Fri 02:00-04:00; Sat,Sun 02:00-06:00'],
  ['PILOT_MIN_AGE', '3d'],
  ['PILOT_KEEP_IMAGES', '0'],
  ['PILOT_MAIL_DIGEST', '0 8 * * *'],
  ['PILOT_MAIL_DIGEST', 'off'],
  ['PILOT_HEARTBEAT_URL', 'https://hc-ping.com/uuid'],
  ['PILOT_HEARTBEAT_INTERVAL', '1m'],
])('%s=%s is taken', (name, value) => expect(problemOf({ [name]: value })).toBe(''));
