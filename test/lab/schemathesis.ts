import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngineServer } from '../support/engine-server';
import { eventually } from '../support/eventually';
import { freePort } from './free-port';
import { NO_SCHEDULES } from './pilot';

/**
 * `npm run schemathesis`: sends what `GET /openapi.json` allows, and what it forbids, to a running service with an empty engine.
 * Needs schemathesis (`pip install schemathesis`) on the PATH, or its path in `SCHEMATHESIS`. Arguments are handed on to
 * `schemathesis run`.
 */
async function main(): Promise<void> {
  const token = 'a-token-for-schemathesis';
  const dataDir = mkdtempSync(join(tmpdir(), 'schemathesis-'));
  const engine = await startEngineServer();
  const json = (value: unknown) => (_request: unknown, response: ServerResponse) =>
    void response.setHeader('Content-Type', 'application/json').end(JSON.stringify(value));
  engine.answers.set('/version', json({ Version: '26.1.5', ApiVersion: '1.45', Os: 'linux', Arch: 'amd64' }));
  for (const list of ['/containers/json', '/images/json']) engine.answers.set(list, json([]));
  engine.answers.set('/events', (_request, response) => response.writeHead(200).flushHeaders());
  const url = `http://127.0.0.1:${await freePort()}`;
  const { port } = new URL(url);
  const secrets = { PILOT_API_TOKEN: token, PILOT_WEBHOOK_TOKEN: token };
  const place = { PILOT_DATA_DIR: dataDir, PILOT_HOST: '127.0.0.1', PILOT_PORT: port, PILOT_PUBLIC_URL: url };
  const env = { PATH: process.env['PATH'], DOCKER_HOST: engine.address, ...secrets, ...place, ...NO_SCHEDULES };
  const service = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'serve'], { env, stdio: 'ignore' });
  try {
    await eventually('the service is healthy', async () => (await fetch(`${url}/health`)).status === 200, {
      timeoutMs: 300_000,
    });
    const header = ['-H', `Authorization: Bearer ${token}`];
    const program = process.env['SCHEMATHESIS'] ?? 'schemathesis';
    const asked = spawn(program, ['run', `${url}/openapi.json`, ...header, ...process.argv.slice(2)], {
      stdio: 'inherit',
    });
    process.exitCode = ((await once(asked, 'exit')) as [number | null])[0] ?? 1;
  } finally {
    service.kill('SIGTERM');
    await once(service, 'exit');
    await engine.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

void main();
