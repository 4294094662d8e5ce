import { isIP } from 'node:net';
import { EngineError } from '../../../domain/errors';

export function refused(registry: URL, why: string): EngineError {
  return new EngineError(
    'registry_refused',
    `The registry ${registry.host} does not list its tags: ${why}. Check the name, and the login (DOCKER_CONFIG).`,
  );
}

/** The engine's own rule for registries that may speak plain HTTP: 127.0.0.0/8, ::1 and localhost. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}
