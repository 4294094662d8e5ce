import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { EngineError } from '../../../domain/errors';

export function refused(registry: URL, why: string): EngineError {
  return new EngineError(
    'registry_refused',
    `The registry ${registry.host} cannot be read: ${why}. Check the name, and the login (DOCKER_CONFIG).`,
  );
}

/** The engine's own rule for registries that may speak plain HTTP: 127.0.0.0/8, ::1 and localhost. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}

/** Throws for an answer that is the registry's refusal, or its request to wait; returns for any other. */
export function refusedByStatus(url: URL, { status, headers }: { status: number; headers: IncomingHttpHeaders }): void {
  if ([401, 403, 404].includes(status)) throw refused(url, `it answers ${status}`);
  if (status !== 429) return;
  const after = headers['retry-after'];
  const patience = after === undefined ? '' : `, for ${after.slice(0, 40)} s`;
  throw new EngineError('registry_unreachable', `The registry ${url.host} asks for patience${patience}.`);
}
