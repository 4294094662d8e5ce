import { request, type RequestOptions } from 'node:http';

export interface EngineAnswer {
  status: number;
  body: string;
}

/** One GET to an engine's API; null when nobody answers there in time. */
export function askEngine(host: string, path: string, timeoutMs = 5_000): Promise<EngineAnswer | null> {
  const where = engineAddress(host);
  if (!where) return Promise.resolve(null);
  return new Promise((resolve) => {
    const asked = request({ ...where, path, timeout: timeoutMs }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', () => resolve(null));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(null));
    asked.end();
  });
}

/** Null for an engine on another machine: published ports, mounts and the loopback registry would be over there. */
export function engineAddress(host: string): RequestOptions | null {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  const url = /^tcp:\/\/(127\.0\.0\.1|localhost):(\d+)$/.exec(host);
  return url ? { host: url[1], port: url[2] } : null;
}
