import { dirname } from 'node:path';
import type { ComposeProject } from '../lab/compose';
import { run } from '../lab/command';
import type { Pilot } from '../lab/pilot';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { runPilot } from '../support/e2e-cli';
import { approve, DATA, psql, readyToApprove } from '../support/e2e-majors';
import { openStage } from '../support/e2e-stage';
import { endOf, type UpdateTold } from '../support/e2e-updates';
import { eventually } from '../support/eventually';

// Every command that a mail about a new PostgreSQL major prints is run, as it is printed, by a shell on the host.
const stage = openStage();
const TAG = 'kept/postgres:stable';
/** In the volume of the application. With the file next to it, the application writes a last item to 17, and fails there. */
const PROBE = `import os, sys, psycopg2
name = lambda key: os.environ['APP_DB_' + key]
database = psycopg2.connect(host=name('HOST'), dbname=name('NAME'), user=name('USER'), password=name('PASSWORD'))
cursor = database.cursor()
if os.path.exists('/data/fails-on-17') and database.server_version >= 170000:
    cursor.execute("INSERT INTO items (name) VALUES ('after the load')")
    database.commit()
    sys.exit('no such function')
print('fine')`;
let shop: ComposeProject;
let app: ReturnType<typeof appOf>;
let pilot: Pilot;
let db: string;

beforeAll(async () => {
  const { lab } = stage;
  await lab.registry.publishAndPull(lab.images.POSTGRES_15, TAG);
  const services = appServices(lab, lab.images.APP_1);
  services['db'] = {
    ...services['db'],
    image: lab.registry.reference(TAG),
    labels: { ...services['db']?.labels, 'diun.enable': 'true' },
  };
  services['app'] = {
    image: lab.images.APP_1,
    ...services['app'],
    labels: { ...services['app']?.labels, 'update.probe': 'exec:python3 /data/probe.py' },
  };
  shop = await stage.project('kept', services, { top: APP_VOLUMES });
  app = appOf(shop);
  await app.ready();
  await app.sh(`cat > /data/probe.py <<'END'\n${PROBE}\nEND`);
  await app.keep('erste');
  pilot = await stage.pilot();
  db = await shop.containerName('db');
  await lab.registry.publish(lab.images.POSTGRES_17, TAG);
});

/** As an operator does who copies it. A command that wants a terminal gets one, which echoes the end of its input (`^@`). */
async function asPrinted(command: string): Promise<string> {
  const { docker } = stage.lab;
  const env = { ...process.env, PATH: `${dirname(docker.path)}:${process.env['PATH']}`, DOCKER_HOST: docker.host };
  return (await run('script', ['-qefc', command, '/dev/null'], { env })).replaceAll(/\r|\^@/g, '').trim();
}

const RESULT = /rolled back|the new version is healthy/;
let results = 0;
let result = '';

/** The one line with such a command in the mail of the last result. */
function printed(pattern: RegExp): string {
  const found = result.split('\n').flatMap((line) => pattern.exec(line)?.[0] ?? []);
  expect([found.length, result]).toEqual([1, expect.anything()]);
  return found[0] ?? '';
}

const folders = async (): Promise<string> => shop.exec('db', 'sh', '-c', `ls -A ${DATA} | grep diun || true`);
const names = async (): Promise<string[]> => (await app.items()).map((item) => item.name);
const major = async (): Promise<string> => (await psql(shop, 'app', 'SHOW server_version')).slice(0, 2);

async function update(whileApproved: () => Promise<unknown>): Promise<UpdateTold> {
  const id = await readyToApprove(pilot, db);
  const { detail } = ((await pilot.get(`/updates/${id}`)) as UpdateTold)['rehearsal'] as { detail: string };
  expect(detail).toContain('became healthy on PostgreSQL 17');
  await whileApproved();
  await approve(pilot, db, id);
  const told = await endOf(pilot, id, 300_000);
  result = await eventually('the mail of the result', async () => {
    const about = (await pilot.mails()).filter(({ subject = '' }) => RESULT.test(subject));
    return about.length > results ? about.at(-1)?.text : undefined;
  });
  results++;
  return told;
}

test('rolled back after the load: the printed commands read what was written to 17, and remove it', async () => {
  const told = await update(() => app.sh('touch /data/fails-on-17'));
  expect([told['status'], told['error']?.code]).toEqual(['rolled_back', 'other_unhealthy']);
  expect([await major(), await names()]).toEqual(['15', ['erste']]);
  const start = printed(/docker run -d .*/);
  const read = printed(/docker exec -it .*/);
  await asPrinted(start);
  const query = read.replace('USER DATABASE', `app app -P pager=off -XAtc 'SELECT name FROM items ORDER BY id'`);
  expect(query).not.toBe(read);
  const rows = await eventually('the new server answers', () => asPrinted(query));
  expect(rows.split('\n').slice(0, 2)).toEqual(['erste', 'after the load']);
  expect([await major(), await names()]).toEqual(['15', ['erste']]);
  await asPrinted(printed(/docker rm -f -v .*/));
  expect(await folders()).toMatch(/^\.diun-pilot-restore-[0-9a-z]{10}-01$/);
  await asPrinted(printed(/docker exec -u 0 \S+ rm -rf '[^']+'/));
  expect([await folders(), await major(), await names()]).toEqual(['', '15', ['erste']]);
});

test('updated: the printed command removes the previous data directory, and nothing speaks of it afterwards', async () => {
  await app.sh('rm /data/fails-on-17');
  const told = await update(() => Promise.resolve());
  expect([told['status'], JSON.stringify(told['error'])]).toEqual(['succeeded', 'null']);
  expect(await folders()).toMatch(/^\.diun-pilot-before-[0-9a-z]{10}-01$/);
  const command = printed(/docker exec -u 0 \S+ rm -rf '[^']+'/);
  const check = async (): Promise<string> => (await runPilot(stage.lab, pilot.dataDir, ['check'])).stdout;
  expect((await check()).replace(/\s+/g, ' ')).toContain(command);
  await asPrinted(command);
  expect([await folders(), await major(), await names()]).toEqual(['', '17', ['erste']]);
  await pilot.restart();
  await eventually('it is no longer listed', async () => !(await check()).includes('.diun-pilot-before-'));
  await shop.compose(['restart', 'db']);
  await app.ready();
  expect([await major(), await names()]).toEqual(['17', ['erste']]);
});
