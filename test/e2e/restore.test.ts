import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ComposeProject } from '../lab/compose';
import { runPilot } from '../support/e2e-cli';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { namesOf, openStage, startedAt } from '../support/e2e-stage';

// A set of a real PostgreSQL and real files put back by `diun-pilot restore`: in its own stack and in an empty one.
const stage = openStage();
let shop: ComposeProject;
let app: ReturnType<typeof appOf>;
let dataDir: string;
let set: string;

const cli = (...args: string[]) => runPilot(stage.lab, dataDir, args);

const TREE =
  'cd /data && find . -path "./.diun-pilot-*" -prune -o -printf "%p %u:%g %m %y %l %s\\n" | grep -v app.ini | sort';
const DATABASES = "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database WHERE datname LIKE '%diun-pilot%'";
const OF_DATABASE =
  "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datconnlimit, datacl::text, (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0) FROM pg_database d WHERE datname = 'app'";

let before: { items: unknown; tree: string; database: string };

async function asItIs(): Promise<typeof before> {
  return { items: await app.items(), tree: await app.sh(TREE), database: await app.sql(OF_DATABASE) };
}

beforeAll(async () => {
  shop = await stage.project('restore', appServices(stage.lab, stage.lab.images.APP_1), { top: APP_VOLUMES });
  app = appOf(shop);
  dataDir = stage.lab.scratch('pilot-data');
  await app.ready();
  for (const name of ['erste', 'zweite']) await app.keep(name);
  await app.sh(
    'cd /data && mkdir -p "a b/.hidden" && echo x > "a b/.hidden/-f" && ln -s files/1.txt link && chown -R 1234:4321 "a b" && chmod 750 "a b" && ln files/1.txt hard',
  );
  await app.sql('CREATE ROLE clerk PASSWORD $$x$$');
  await app.sql('GRANT SELECT ON items TO clerk');
  await app.sql(`ALTER DATABASE app SET search_path TO "$user", public`);
  await app.sql('GRANT CONNECT ON DATABASE app TO clerk');
  before = await asItIs();
  const { code, stdout } = await cli('backup', '--project', shop.name, '--json');
  expect(code).toBe(0);
  set = (JSON.parse(stdout) as { backups: { id: string }[] }).backups[0]?.id ?? '';
});

async function spoil(): Promise<void> {
  await app.sql("DELETE FROM items WHERE name = 'erste'");
  await app.sql('CREATE TABLE newer (n int)');
  await app.keep('dritte');
  await app.sh('rm -rf /data/files/1.txt "/data/a b" && echo new > /data/newer && chmod 700 /data/files');
}

it('--dry-run tells the plan, reads the whole set, and changes nothing', async () => {
  await spoil();
  const [now, started] = [await asItIs(), startedAt(await shop.container('app'))];
  const { code, stdout, stderr } = await cli('restore', set, '--dry-run');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(
    /database app is restored next to .*\n.*database postgres[\s\S]*\/data is unpacked next to[\s\S]*The set is complete and fits/,
  );
  expect([await asItIs(), startedAt(await shop.container('app'))]).toEqual([now, started]);
  expect(await namesOf(stage.lab, shop)).toHaveLength(2);
});

it('asks before it does anything, and where nobody can be asked it says how', async () => {
  const { code, stderr } = await cli('restore', 'latest');
  expect([code, stderr]).toEqual([1, expect.stringMatching(/run diun-pilot restore latest --yes, or --dry-run/)]);
});

it('brings every row and file back, keeps what was there, and all are healthy', async () => {
  const { code, stdout, stderr } = await cli('restore', 'latest', '--yes');
  expect([code, stderr, stdout]).toEqual([0, '', expect.stringContaining('All containers that use it are healthy')]);
  expect(await asItIs()).toEqual(before);
  expect(await app.sql("SELECT has_table_privilege('clerk', 'items', 'SELECT')")).toBe('t');
  expect(await app.sh('cat /data/hard && cat /data/.diun-pilot-before-*/newer')).toBe('erstenew');
  expect(await namesOf(stage.lab, shop)).toHaveLength(2);
  const removes = stdout.split('\n').filter((line) => line.includes('docker exec'));
  expect(removes).toHaveLength(3);
  for (const line of removes) await stage.lab.docker.run(shellWords(line).slice(1));
  expect(await app.sql(DATABASES)).toBe('');
  expect(await app.sh('ls -A /data | grep -c diun-pilot || true')).toBe('0');
});

it('refuses a damaged set before anything is stopped', async () => {
  const [now, started] = [await asItIs(), startedAt(await shop.container('app'))];
  const backups = join(dataDir, 'backups');
  const folder = join(backups, shop.name, readdirSync(join(backups, shop.name))[0] ?? '');
  const whole = stage.lab.scratch('whole');
  cpSync(folder, whole, { recursive: true });
  const file = (ending: string): string =>
    join(folder, readdirSync(folder).find((name) => name.endsWith(ending)) ?? '');
  const flip = (path: string): void => {
    const bytes = readFileSync(path);
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    writeFileSync(path, bytes);
  };
  const damages: [string, () => void, RegExp][] = [
    [
      'cut',
      () => writeFileSync(file('app.dump'), readFileSync(file('app.dump')).subarray(0, -100)),
      /missing or truncated/,
    ],
    ['flipped dump', () => flip(file('app.dump')), /database app .*came back/],
    ['flipped tar', () => flip(file('tar.gz')), /files \/data .*(came back|could not be verified)/],
    ['no manifest', () => rmSync(join(folder, 'manifest.json')), /has no manifest\.json/],
  ];
  for (const [what, damage, words] of damages) {
    damage();
    const { code, stderr } = await cli('restore', set, '--yes');
    expect([what, code, stderr]).toEqual([what, 1, expect.stringMatching(words)]);
    rmSync(folder, { recursive: true });
    cpSync(whole, folder, { recursive: true });
  }
  expect([await asItIs(), startedAt(await shop.container('app'))]).toEqual([now, started]);
});

it('restores into an empty stack of another name, with a database of diun-pilot that knows nothing', async () => {
  const empty = await stage.project('empty', appServices(stage.lab, stage.lab.images.APP_1), { top: APP_VOLUMES });
  const other = appOf(empty);
  await other.ready();
  const fresh = stage.lab.scratch('pilot-fresh');
  cpSync(join(dataDir, 'backups'), join(fresh, 'backups'), { recursive: true });
  const args = ['restore', set, '--project', empty.name, '--yes'];
  const refused = await runPilot(stage.lab, fresh, args);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/not authenticated: .*PILOT_APPROVAL_SECRET/),
  ]);
  const { code, stdout, stderr } = await runPilot(stage.lab, fresh, [...args, '--trust']);
  expect([code, stderr, stdout]).toEqual([0, '', expect.stringContaining('All containers that use it are healthy')]);
  expect(await other.items()).toEqual(before.items);
  expect(await other.sh(TREE)).toBe(before.tree);
  expect(await other.sql(OF_DATABASE)).toBe(before.database);
});

function shellWords(line: string): string[] {
  return [...line.trim().matchAll(/'([^']*)'|(\S+)/g)].map((word) => word[1] ?? word[2] ?? '');
}
