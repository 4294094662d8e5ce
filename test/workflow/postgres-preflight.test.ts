import { runForge, type Forge } from '../support/forge-scene';

// What would start on no data, or on another's, is seen before anything is stopped.

const OWN = '/var/lib/postgresql/data';
const MOVED = '/var/lib/postgresql/18/docker';
let forge: Forge;
beforeEach(() => (forge = runForge()));
afterEach(() => forge.scene.close());

const verdict = () => forge.scene.updates().at(-1);

async function updateTo(env: string[]): Promise<void> {
  forge.scene.engine.publish('postgres:15', { ...forge.specs['postgres:15'], config: { Env: env } });
  await forge.update('forge-db-1');
}

test.each([
  [
    'is of an older major',
    ['PG_MAJOR=14'],
    'PostgreSQL 14, which would not start on it. Nothing was changed. No older major',
  ],
  ['does not tell its major', ['LANG=C'], 'does not name its PostgreSQL major'],
  ['keeps its data elsewhere', ['PG_MAJOR=15', `PGDATA=${MOVED}`], `add the line "PGDATA: ${OWN}/" to environment`],
])('an image that %s is refused, and nothing is stopped', async (_what, env, words) => {
  await updateTo(env);
  expect(verdict()).toMatchObject({ status: 'failed', error: { code: 'preflight_failed' } });
  expect(verdict()?.error?.message).toContain(words);
  expect(forge.scene.engine.lines().filter((line) => line.startsWith('stop '))).toEqual([]);
});

test('data whose version nobody can read is not put under a new image', async () => {
  forge.scene.engine.files('forge-db-1').clear(`${OWN}/PG_VERSION`);
  await updateTo(['PG_MAJOR=15']);
  expect(verdict()?.error?.message).toContain(`There is no PG_VERSION in ${OWN}`);
});

test('one of the same major and place is made', async () => {
  await updateTo(['PG_MAJOR=15', `PGDATA=${OWN}`]);
  expect(verdict()).toMatchObject({ status: 'succeeded' });
});
