import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run as command } from '../lab/command';
import { composeProject, type ComposeProject } from '../lab/compose';
import { freePort } from '../lab/free-port';
import type { Lab } from '../lab/lab';
import { NO_SCHEDULES } from '../lab/pilot';
import { eventually } from '../support/eventually';
import { whyNoS3Server } from '../lab/s3-program';
import { startS3Server } from '../support/s3-server';
import { percentile, report } from './report';
import { API_TOKEN, startService, type Service } from './run-pilot';

const ROUNDS = 3;
const ROWS = 2_000_000;
const GIB = 1024 ** 3;

/**
 * A backup by the real service, from its start to its verified end, against `docker exec … pg_dump -Fc > file`, which
 * verifies nothing; and the most memory that the service ever took while backing up 2 GiB.
 */
export async function run(lab: Lab): Promise<void> {
  const rows = await openRows(lab);
  const files = await openFiles(lab);
  try {
    await throughput(lab, rows);
    await memory(lab, files, 'a folder', { PILOT_BACKUP_URL: `file://${lab.scratch('bench-backups')}` });
    const missing = whyNoS3Server();
    if (missing === null) await memoryWithS3(lab, files);
    else console.log(`memory with S3: not measured, because ${missing}`);
  } finally {
    await rows.down();
    await files.down();
  }
}

/** Rows as applications have them: numbers, times and text, of which zlib halves most. */
async function openRows(lab: Lab): Promise<ComposeProject> {
  const project = composeProject(
    lab,
    'bench-rows',
    `services:
  db:
    image: ${lab.images.POSTGRES_17}
    environment: {POSTGRES_PASSWORD: bench}
    labels: {backup.kind: postgres}
`,
  );
  await project.up();
  const ready = (): Promise<string> => project.compose(['exec', '-T', 'db', 'pg_isready', '-qh', '127.0.0.1']);
  await eventually('PostgreSQL answers', async () => (await ready(), true), { timeoutMs: 120_000, everyMs: 200 });
  const fill = `CREATE TABLE line AS SELECT n, md5(n::text) AS a, repeat(md5((n * 7)::text), 3) AS b,
    now() + n * interval '1 second' AS at FROM generate_series(1, ${ROWS}) n`;
  await project.compose(['exec', '-T', 'db', 'psql', '-qXU', 'postgres', '-c', fill]);
  return project;
}

/** Half of it compressed already, as git packs are; half of it text. */
async function openFiles(lab: Lab): Promise<ComposeProject> {
  const project = composeProject(
    lab,
    'bench-files',
    `services:
  app:
    image: ${lab.images.NGINX_GOOD_1}
    labels: {backup.kind: files, backup.paths: /data}
    volumes: ['/data']
`,
  );
  await project.up();
  const fill = `head -c ${GIB} /dev/urandom > /data/pack; seq 1 200000000 | head -c ${GIB} > /data/text`;
  await project.compose(['exec', '-T', 'app', 'sh', '-c', fill]);
  return project;
}

async function throughput(lab: Lab, rows: ComposeProject): Promise<void> {
  const folder = lab.scratch('bench-dumps');
  const service = await startService(await freePort(), {
    ...NO_SCHEDULES,
    DOCKER_HOST: lab.viewHost,
    PILOT_BACKUP_URL: `file://${folder}`,
  });
  const container = await rows.containerName('db');
  const [peer, atOurLevel, ours]: [number[], number[], number[]] = [[], [], []];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      peer.push(await pgDump(lab, container, '-Fc', join(folder, 'peer.dump')));
      atOurLevel.push(await pgDump(lab, container, '-Fc -Z1', join(folder, 'peer-1.dump')));
      ours.push((await backUp(service, rows.name)).seconds);
    }
  } finally {
    await service.stop();
  }
  report({
    what: 'size of that dump, at the fastest level, as a share of the default level of pg_dump',
    value: dumpBytes(folder) / statSync(join(folder, 'peer.dump')).size,
    unit: 'ratio',
    goal: null,
  });
  report({
    what: 'backup of a database, verified, as a share of the speed of docker exec pg_dump -Fc > file',
    value: percentile(peer, 0.5) / percentile(ours, 0.5),
    unit: 'ratio',
    goal: { sign: '≥', bound: 0.9 },
    against: `median of ${ROUNDS}: ${told(ours)} against ${told(peer)}`,
  });
  report({
    what: 'the same, as a share of the speed of pg_dump -Fc -Z1, the level of diun-pilot',
    value: percentile(atOurLevel, 0.5) / percentile(ours, 0.5),
    unit: 'ratio',
    goal: { sign: '≥', bound: 0.9 },
    against: told(atOurLevel),
  });
}

/** Of one of the sets: all are of the same rows. */
function dumpBytes(folder: string): number {
  const stored = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const dump = stored.find((name) => /postgres.*\.dump$/.test(name) && !name.startsWith('peer')) ?? '';
  return statSync(join(folder, dump)).size;
}

async function pgDump(lab: Lab, container: string, format: '-Fc' | '-Fc -Z1', file: string): Promise<number> {
  const begin = performance.now();
  const env = { ...process.env, DOCKER_HOST: lab.viewHost };
  const line = `exec "$0" exec "$1" pg_dump -U postgres ${format} postgres > "$2"`;
  await command('sh', ['-c', line, lab.docker.path, container, file], { env });
  return (performance.now() - begin) / 1000;
}

async function memoryWithS3(lab: Lab, files: ComposeProject): Promise<void> {
  const server = await startS3Server();
  const { accessKeyId, secretAccessKey } = server.sdk.credentials;
  try {
    await memory(lab, files, 'S3', {
      PILOT_BACKUP_URL: `s3://${await server.bucket()}/bench`,
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_REGION: server.sdk.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    });
  } finally {
    await server.stop();
  }
}

async function memory(lab: Lab, files: ComposeProject, target: string, env: Record<string, string>): Promise<void> {
  const service = await startService(await freePort(), { ...NO_SCHEDULES, DOCKER_HOST: lab.viewHost, ...env });
  try {
    const { seconds } = await backUp(service, files.name);
    report({
      what: `peak memory of the service in a backup of 2 GiB to ${target}`,
      value: peakMiB(service),
      unit: 'MiB',
      goal: { sign: '≤', bound: 180 },
      against: `${seconds.toFixed(1)} s, read back included`,
    });
  } finally {
    await service.stop();
  }
}

/** Asks for one backup over HTTP, and waits for its verified end. */
async function backUp(service: Service, project: string): Promise<{ seconds: number }> {
  const headers = { Authorization: `Bearer ${API_TOKEN}`, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ project });
  const asked = await fetch(`${service.url}/backups`, { method: 'POST', headers, body });
  const { backups } = (await asked.json()) as { backups: Told[] };
  const id = backups[0]?.id;
  const ended = await eventually(
    'the backup ends',
    async () => {
      const answer = (await (await fetch(`${service.url}/backups`, { headers })).json()) as { backups: Told[] };
      return answer.backups.find((backup) => backup.id === id && backup.finishedAt !== null);
    },
    { timeoutMs: 900_000, everyMs: 100 },
  );
  if (ended.status !== 'succeeded') throw new Error(`the backup failed: ${JSON.stringify(ended)}`);
  return { seconds: (Date.parse(ended.finishedAt ?? '') - Date.parse(ended.startedAt ?? '')) / 1000 };
}

interface Told {
  id: string;
  status: string;
  startedAt: string | null;
  finishedAt: string | null;
}

function peakMiB(service: Service): number {
  const status = readFileSync(`/proc/${service.process.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) / 1024;
}

function told(seconds: readonly number[]): string {
  return seconds.map((value) => `${value.toFixed(1)} s`).join(', ');
}
