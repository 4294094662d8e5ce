import { runPilot } from '../support/e2e-cli';
import { composeYaml } from '../support/e2e-services';
import { openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';

// POSTGRES_USER was changed, or its role lost its rights: what is missing is said, and nothing is left out.
const stage = openStage();
let dataDir: string;

beforeAll(() => {
  dataDir = stage.lab.scratch('pilot-data');
});

const cli = (...args: string[]) => runPilot(stage.lab, dataDir, args);

test('a user without superuser rights: backup and restore say what is missing, and what to do', async () => {
  const serverOf = (user: string) => ({
    image: stage.lab.images.POSTGRES_15,
    environment: { POSTGRES_USER: user, POSTGRES_DB: 'shop', POSTGRES_PASSWORD: 'geheim' },
    labels: { 'update.probe': 'postgres', 'backup.kind': 'postgres' },
    volumes: ['rows:/var/lib/postgresql/data'],
  });
  const top = { volumes: { rows: {} } };
  const shop = await stage.project('rights', { db: serverOf('boot') }, { top });
  const as = (user: string, statement: string): Promise<string> =>
    shop.compose(['exec', '-T', 'db', 'psql', '-XAtq', '-U', user, '-d', 'shop', '-c', statement]);
  const answers = () => shop.compose(['exec', '-T', 'db', 'pg_isready', '-h', '127.0.0.1']);
  await eventually('the server answers', answers);
  const { stdout } = await cli('backup', '--project', shop.name, '--json');
  const set = (JSON.parse(stdout) as { backups: { id: string }[] }).backups[0]?.id ?? '';
  await as('boot', "CREATE ROLE clerk LOGIN PASSWORD 'geheim'");
  await as('boot', 'CREATE TABLE secret AS SELECT 1 AS n');
  shop.write(composeYaml({ db: serverOf('clerk') }, top));
  await shop.up();
  await eventually('the server answers again', answers);

  const backUp = () => cli('backup', '--project', shop.name);
  const steps: [RegExp, string][] = [
    [/passwords of the roles .*at least: GRANT SELECT ON/, 'GRANT SELECT ON pg_catalog.pg_authid TO clerk'],
    [/may not read table \S*secret, so .*at least: GRANT pg_read_all_data/, 'GRANT pg_read_all_data TO clerk'],
  ];
  for (const [words, grant] of steps) {
    expect(await backUp()).toMatchObject({ code: 1, stderr: expect.stringMatching(words) as string });
    await as('boot', grant);
  }
  const refused = await cli('restore', set, '--yes');
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/may not create databases\. Nothing was stopped/) as string,
  });
  expect((await backUp()).code).toBe(0);
  await as('boot', "CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)");
  expect(await backUp()).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/leaves out subscription sub/) as string,
  });
});
