import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULTS, SECRET_SETTINGS } from '../../../src/config/schema';

const read = (file: string): string => readFileSync(path.join(__dirname, '../../..', file), 'utf8');

/** The settings of `.env.example`: a comment of one line, then `#NAME=default`, or `NAME=` where the stack needs a value. */
const settings = [...read('.env.example').matchAll(/^# (.+)\n#?(\w+)=(.*)$/gm)].map(([, comment, name, value]) => ({
  comment,
  name,
  value,
}));
const own = settings.filter(({ name }) => name !== undefined && name in DEFAULTS);

/** Every name that `.env.example` gives a line, commented out or not. */
const named = [...read('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name ?? '');
/** Variables that the compose file takes from `.env`: `${NAME}`, `${NAME:-…}`, or `NAME:` alone. */
const compose = read('docker-compose.yml');
const taken = new Set(
  [...compose.matchAll(/\$\{([A-Z0-9_]+)|^ {6}((?:PILOT|AWS|RESTIC)_[A-Z0-9_]+):$/gm)].map(([, a, b]) => a ?? b ?? ''),
);

test('.env.example lists every setting with its default', () => {
  expect(Object.fromEntries(own.map(({ name, value }) => [name, value]))).toEqual(DEFAULTS);
});

test('.env.example says of exactly the secrets that they are secrets', () => {
  const secrets = own.filter(({ comment }) => comment?.startsWith('Secret. ')).map(({ name }) => name);
  expect(secrets.sort()).toEqual([...SECRET_SETTINGS].sort());
});

test('.env.example names the two that are set as everywhere', () => {
  expect(settings.map(({ name }) => name)).toEqual(expect.arrayContaining(['TZ', 'DOCKER_HOST']));
});

test('the stack hands every setting on to diun-pilot, but for those that its image fixes', () => {
  const fixed = ['PILOT_HOST', 'PILOT_PORT', 'PILOT_DATA_DIR'];
  const handedOn = [...taken].filter((name) => name in DEFAULTS);
  expect(handedOn.sort()).toEqual(
    Object.keys(DEFAULTS)
      .filter((name) => !fixed.includes(name))
      .sort(),
  );
});

test('.env.example names every variable of the stack, and no other', () => {
  const rare = ['AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3'];
  const notOfTheStack = ['PILOT_HOST', 'PILOT_PORT', 'PILOT_DATA_DIR', 'DOCKER_HOST'];
  expect([...new Set(named)].filter((name) => !notOfTheStack.includes(name)).sort()).toEqual(
    [...taken].filter((name) => !rare.includes(name)).sort(),
  );
});

test('.env.example and the compose file agree on what a variable is when it is not set', () => {
  const inCompose = new Map(
    [...compose.matchAll(/\$\{([A-Z0-9_]+):-([^${}]*)\}/g)].map(([, name, value]) => [name, value]),
  );
  const inExample = [...read('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]*)=(.*)$/gm)];
  const both = inExample.filter(([, name, value]) => inCompose.has(name) && value !== '');
  expect(both.length).toBeGreaterThan(12);
  for (const [, name, value] of both) expect([name, value]).toEqual([name, inCompose.get(name)]);
});
