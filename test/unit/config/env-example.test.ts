import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULTS, SECRET_SETTINGS } from '../../../src/config/schema';

/** The settings of `.env.example`: a comment of one line, then `#NAME=default`. */
const settings = [
  ...readFileSync(path.join(__dirname, '../../../.env.example'), 'utf8').matchAll(/^# (.+)\n#(\w+)=(.*)$/gm),
].map(([, comment, name, value]) => ({ comment, name, value }));

test('.env.example lists every setting with its default', () => {
  const own = settings.filter(({ name }) => name?.startsWith('PILOT_'));
  expect(Object.fromEntries(own.map(({ name, value }) => [name, value]))).toEqual(DEFAULTS);
});

test('.env.example says of exactly the secrets that they are secrets', () => {
  const secrets = settings.filter(({ comment }) => comment?.startsWith('Secret. ')).map(({ name }) => name);
  expect(secrets).toEqual([...SECRET_SETTINGS]);
});

test('.env.example names the two that are set as everywhere', () => {
  expect(settings.map(({ name }) => name)).toEqual(expect.arrayContaining(['TZ', 'DOCKER_HOST']));
});
