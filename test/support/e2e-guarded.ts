import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { ENGINE_CALLS } from '../../src/adapters/docker/calls';
import { dockerAddress } from '../../src/adapters/docker/wire';
import { createGuard } from '../../src/adapters/docker/socket-proxy/guard/guard';
import { createSocketProxy } from '../../src/adapters/docker/socket-proxy/socket-proxy';
import { recordingLogger, type LogLine } from './recording-logger';
import type { Attack } from './root-attacks';

/** The shipped socket proxy in front of an engine, as `dist/socket-proxy.js --port` builds it. */
export interface GuardedSocket {
  dockerHost: string;
  /** What was refused, with the reason. */
  log: LogLine[];
  /** `chunked`: of a length that the head does not give. */
  send(attack: Attack, options?: { chunked: boolean }): Promise<{ status: number; body: string }>;
  close(): void;
}

export async function guardedSocket(
  dockerHost: string,
  socketPath: string,
  { guarded = true } = {},
): Promise<GuardedSocket> {
  rmSync(socketPath, { force: true });
  const { logger, lines } = recordingLogger();
  const guard = guarded ? { guard: createGuard() } : {};
  const server = createSocketProxy({ engine: dockerAddress(dockerHost), listed: ENGINE_CALLS, logger, ...guard });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    dockerHost: `unix://${socketPath}`,
    log: lines,
    send: ({ method, url, body }, { chunked } = { chunked: false }) =>
      new Promise((resolve, reject) => {
        const sent = typeof body === 'string' ? body : JSON.stringify(body ?? {});
        const length = chunked ? {} : { 'Content-Length': Buffer.byteLength(sent) };
        const headers = method === 'GET' ? {} : { 'Content-Type': 'application/json', ...length };
        const asked = request({ socketPath, method, path: url, headers }, (answer) => {
          text(answer).then((said) => resolve({ status: answer.statusCode ?? 0, body: said }), reject);
        });
        asked.on('error', reject);
        if (method !== 'GET') asked.write(sent);
        asked.end();
      }),
    close: () => void server.close().closeAllConnections(),
  };
}
