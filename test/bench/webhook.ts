import autocannon from 'autocannon';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../lab/free-port';
import { percentile, report } from './report';
import { startService, WEBHOOK_TOKEN } from './run-pilot';

const RATE = 200;
/** `RATE` × `SECONDS` stays below the notifications that may wait for a decision: here no engine answers, so all wait. */
const SECONDS = 4;
const ROUNDS = 3;

/** Webhook acknowledgement, stored durably before the answer, at a steady rate; next to a bare Express that does the same insert. */
export async function run(): Promise<void> {
  const bare = await startBare();
  const ours: number[] = [];
  const theirs: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      theirs.push(await p99(bare.url));
      const service = await startService(await freePort());
      ours.push(await p99(service.url).finally(() => service.stop()));
    }
  } finally {
    await bare.stop();
  }
  report({
    what: `webhook acknowledgement, p99 at ${RATE}/s`,
    value: percentile(ours, 0.5),
    unit: 'ms',
    goal: { sign: '≤', bound: 25 },
    against: `median of ${ROUNDS}; bare Express: ${percentile(theirs, 0.5)} ms`,
  });
}

/** Milliseconds. Throws when a request was not accepted: the time of a refusal says nothing. */
async function p99(url: string): Promise<number> {
  const { latency, non2xx, errors } = await autocannon({
    url: `${url}/webhooks/diun`,
    method: 'POST',
    duration: SECONDS,
    overallRate: RATE,
    connections: 20,
    headers: { authorization: `Bearer ${WEBHOOK_TOKEN}` },
    requests: [{ setupRequest: (request) => ({ ...request, body: body() }) }],
  });
  if (non2xx + errors > 0) throw new Error(`${non2xx + errors} of the requests to ${url} were not accepted`);
  return latency.p99;
}

/** Another digest each time: nothing is a duplicate. */
export function body(): string {
  return JSON.stringify({
    diun_version: '4.33.0',
    hostname: 'bench',
    status: 'update',
    provider: 'docker',
    image: 'docker.io/library/nginx:stable',
    hub_link: 'https://hub.docker.com/_/nginx',
    mime_type: 'application/vnd.docker.distribution.manifest.list.v2+json',
    digest: `sha256:${randomBytes(32).toString('hex')}`,
    created: '2026-11-23T16:11:55.004530743Z',
    platform: 'linux/amd64',
    metadata: { ctn_id: randomBytes(32).toString('hex'), ctn_names: 'web-nginx-1', ctn_state: 'running' },
  });
}

async function startBare(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'bare-'));
  const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'bare-express.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const found = /listening (\d+)/.exec(chunk.toString())?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
