import { PilotError } from '../../domain/errors';

/** The options for dockerode: every field is set, because it fills missing ones from the environment by its own rules. */
export interface DockerAddress {
  socketPath: string | undefined;
  host: string | undefined;
  port: string | undefined;
  protocol: 'http' | 'https';
}

/**
 * Reads `DOCKER_HOST`: `unix://PATH`, `tcp://HOST[:PORT]`, `http(s)://HOST[:PORT]`; null is the usual socket. Client certificates
 * (`DOCKER_CERT_PATH`) and `ssh://` are not supported: use a socket proxy. Throws `invalid_settings`.
 */
export function dockerAddress(dockerHost: string | null): DockerAddress {
  const text = dockerHost?.trim() || 'unix:///var/run/docker.sock';
  if (text.startsWith('unix://')) {
    return { socketPath: text.slice('unix://'.length), host: undefined, port: undefined, protocol: 'http' };
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['tcp:', 'http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new PilotError(
      'invalid_settings',
      'DOCKER_HOST: must be unix://PATH, tcp://HOST:PORT or http(s)://HOST:PORT',
    );
  }
  const secure = url.protocol === 'https:';
  const port = url.port || (url.protocol === 'tcp:' ? '2375' : secure ? '443' : '80');
  return { socketPath: undefined, host: url.hostname, port, protocol: secure ? 'https' : 'http' };
}
