import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run as command } from '../lab/command';
import { composeProject, type ComposeProject } from '../lab/compose';
import type { Lab } from '../lab/lab';
import { eventually } from '../support/eventually';
import { imageEnvironment } from './image-environment';
import { peakOf } from './peak-memory';
import { report } from './report';

const ROWS = 4_500_000;
const GIB = 1024 ** 3;

/**
 * A set of 1 GiB of database and 2 GiB of files backed up and restored by the command line, each read twice to be sure,
 * against `pg_dump` with `tar` and `pg_restore` with `tar` of the same, which verify nothing; and the most memory it took.
 */
export async function run(lab: Lab): Promise<void> {
  const stack = await openStack(lab);
  try {
    const folder = lab.scratch('bench-restore');
    const backup = await pilot(lab, folder, ['backup', '--project', stack.name]);
    const peerBackup = await plainBackup(lab, stack, folder);
    const restore = await pilot(lab, folder, ['restore', 'latest', '--yes']);
    const peerRestore = await plainRestore(lab, stack, folder);
    ratio('backup of 1 GiB of database and 2 GiB of files, read back, against pg_dump and tar', backup, peerBackup);
    ratio('restore of the same, read whole first, against pg_restore and tar', restore, peerRestore, 0.7);
    // The peer starts nothing and looks at no health, which takes the same time for any size.
    const inPlace = { seconds: restore.secondsUntil(/^starting /m) };
    ratio('the same, until the data is in its place and the application is started', inPlace, peerRestore);
    for (const [what, { peakMiB }] of Object.entries({ backup, restore })) {
      const goal = { sign: '≤', bound: 180 } as const;
      report({ what: `peak memory of the ${what} of 3 GiB`, value: peakMiB, unit: 'MiB', goal });
    }
  } finally {
    await stack.down();
  }
}

function ratio(what: string, ours: { seconds: number }, peer: number, bound?: number): void {
  const goal = bound === undefined ? null : ({ sign: '≥', bound } as const);
  const against = `${ours.seconds.toFixed(1)} s against ${peer.toFixed(1)} s`;
  report({ what, value: peer / ours.seconds, unit: 'of its speed', goal, against });
}

async function openStack(lab: Lab): Promise<ComposeProject> {
  const stack = composeProject(
    lab,
    'bench-restore',
    `services:
  db:
    image: ${lab.images.POSTGRES_17}
    environment: {POSTGRES_PASSWORD: bench}
    volumes: ['/var/lib/postgresql/data']
    labels: {backup.kind: postgres}
  app:
    image: ${lab.images.NGINX_GOOD_1}
    depends_on: [db]
    volumes: ['/data']
    labels: {backup.kind: files, backup.paths: /data}
`,
  );
  await stack.up();
  const ready = (): Promise<string> => stack.exec('db', 'pg_isready', '-qh', '127.0.0.1');
  await eventually('PostgreSQL answers', async () => (await ready(), true), { timeoutMs: 120_000, everyMs: 200 });
  const rows = `CREATE TABLE line AS SELECT n, md5(n::text) AS a, repeat(md5((n * 7)::text), 4) AS b,
    now() + n * interval '1 second' AS at FROM generate_series(1, ${ROWS}) n`;
  await stack.exec('db', 'psql', '-qXU', 'postgres', '-c', 'CREATE DATABASE shop');
  await stack.exec('db', 'psql', '-qXU', 'postgres', '-d', 'shop', '-c', rows);
  const files = `head -c ${GIB} /dev/urandom > /data/pack; seq 1 200000000 | head -c ${GIB} > /data/text`;
  await stack.exec('app', 'sh', '-c', files);
  return stack;
}

interface Ended {
  seconds: number;
  peakMiB: number;
  /** Until it said so. */
  secondsUntil(said: RegExp): number;
}

/** One command of the real program, and the most memory that its process ever held. */
function pilot(lab: Lab, folder: string, args: string[]): Promise<Ended> {
  const begin = performance.now();
  const child = spawn(process.execPath, [join(__dirname, '../../dist/main.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, ...imageEnvironment(), DOCKER_HOST: lab.viewHost, PILOT_DATA_DIR: folder },
  });
  const said: { text: string; seconds: number }[] = [];
  const elapsed = (): number => (performance.now() - begin) / 1000;
  child.stdout.on('data', (text: Buffer) => void said.push({ text: text.toString(), seconds: elapsed() }));
  const secondsUntil = (words: RegExp): number => {
    const first = said.find(({ text }) => words.test(text));
    if (first === undefined) throw new Error(`diun-pilot ${args.join(' ')} never said ${words}`);
    return first.seconds;
  };
  let peakMiB = 0;
  const looking = setInterval(() => (peakMiB = Math.max(peakMiB, peakOf(child.pid))), 100);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      clearInterval(looking);
      if (code !== 0) reject(new Error(`diun-pilot ${args.join(' ')} ended with ${code}`));
      else resolve({ seconds: elapsed(), peakMiB, secondsUntil });
    });
  });
}

async function plainBackup(lab: Lab, stack: ComposeProject, folder: string): Promise<number> {
  return shell(lab, stack, [
    `"$D" exec "$DB" pg_dump -U postgres -Fc shop > '${folder}/plain.dump'`,
    `"$D" exec "$APP" tar -czC /data pack text > '${folder}/plain.tar.gz'`,
  ]);
}

/** Of the very objects that were stored. */
async function plainRestore(lab: Lab, stack: ComposeProject, folder: string): Promise<number> {
  const set = join(folder, 'backups', stack.name, readdirSync(join(folder, 'backups', stack.name))[0] ?? '');
  const stored = (ending: RegExp): string => join(set, readdirSync(set).find((name) => ending.test(name)) ?? '');
  return shell(lab, stack, [
    `"$D" exec "$DB" createdb -U postgres plain`,
    `"$D" exec -i "$DB" pg_restore -U postgres -d plain < '${stored(/shop.*\.dump$/)}'`,
    `gunzip -c '${stored(/\.tar\.gz$/)}' | "$D" exec -i "$APP" sh -c 'mkdir /data/plain && tar -xC /data/plain'`,
  ]);
}

async function shell(lab: Lab, stack: ComposeProject, lines: string[]): Promise<number> {
  const env = {
    ...process.env,
    D: lab.docker.path,
    DOCKER_HOST: lab.viewHost,
    DB: await stack.containerName('db'),
    APP: await stack.containerName('app'),
  };
  const begin = performance.now();
  await command('sh', ['-ec', lines.join('\n')], { env, timeoutMs: 900_000 });
  return (performance.now() - begin) / 1000;
}
