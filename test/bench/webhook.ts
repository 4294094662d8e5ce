import autocannon from 'autocannon';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../lab/free-port';
import { report } from './report';
import { startService, WEBHOOK_TOKEN } from './run-pilot';

const SECONDS = 8;

/** Webhook acknowledgement, durable, against a bare Express that does the same insert; then its latency at 200/s. */
export async function run(): Promise<void> {
  const bare = await startBare();
  const service = await startService(await freePort());
  try {
    const ratios: number[] = [];
    let ours = 0;
    let theirs = 0;
    for (let round = 0; round < 3; round++) {
      theirs = await throughput(bare.url);
      ours = await throughput(service.url);
      ratios.push(ours / theirs);
    }
    ratios.sort((a, b) => a - b);
    report({
      what: 'webhook acknowledgement, throughput as a share of bare Express with the same insert',
      value: ratios[1] ?? NaN,
      unit: 'ratio',
      goal: { sign: '≥', bound: 0.6 },
      against: `median of 3; last ${Math.round(ours)}/s against ${Math.round(theirs)}/s`,
    });
    const bareSteady = await load(bare.url, { overallRate: 200, connections: 20 });
    const steady = await load(service.url, { overallRate: 200, connections: 20 });
    report({
      what: 'webhook acknowledgement, p99 at 200/s',
      value: steady.latency.p99,
      unit: 'ms',
      goal: { sign: '≤', bound: 25 },
      against: `bare Express: ${bareSteady.latency.p99} ms`,
    });
    if (steady.non2xx + steady.errors > 0) throw new Error(`${steady.non2xx + steady.errors} requests failed`);
  } finally {
    await service.stop();
    await bare.stop();
  }
}

async function throughput(url: string): Promise<number> {
  return (await load(url, { connections: 10 })).requests.average;
}

function load(url: string, options: { connections: number; overallRate?: number }): Promise<autocannon.Result> {
  return autocannon({
    url: `${url}/webhooks/diun`,
    method: 'POST',
    duration: SECONDS,
    headers: { authorization: `Bearer ${WEBHOOK_TOKEN}` },
    ...options,
    requests: [{ setupRequest: (request) => ({ ...request, body: body() }) }],
  });
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
