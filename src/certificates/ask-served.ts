import { isIP } from 'node:net';
import type { Certificate } from '../domain/certificates/certificate';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import { addressesOf } from '../probes/addresses';
import { execInside } from '../probes/exec-probe';
import { parseCertificate } from './parse-certificate';
import type { LookDeps } from './renewal-deps';

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;

/**
 * The certificate that a container serves: asked at every address at which this process may reach it (in a shared network
 * namespace those of its owner), else from inside, with whatever its image has. Rejects with `certificate_unreadable`.
 */
export async function askServed(
  { engine, certificates }: LookDeps,
  server: ContainerInspect,
  { port, name, proxyProtocol = false }: { port: number; name: string; proxyProtocol?: boolean },
): Promise<Certificate> {
  const what = `What ${server.Name.slice(1)} serves on port ${port}`;
  let reason = 'it has no address that this process could reach.';
  for (const host of await addressesOf(engine, server)) {
    try {
      return parseCertificate(await certificates.served({ host, port, name, proxyProtocol }), what);
    } catch (error) {
      if (codeOf(error) === 'internal_error') throw error;
      reason = messageOf(error);
    }
  }
  const inside = await askInside({ engine, certificates }, server, { port, name, proxyProtocol });
  if (inside !== null) return parseCertificate(inside, what);
  throw new PilotError(
    'certificate_unreadable',
    `${what} could not be requested ${name}: ${reason} Let diun-pilot share a network with it; its image has no openssl or curl to ask from inside.`,
  );
}

/** Null: the image has nothing to ask with, or nothing answers there. */
async function askInside(
  { engine }: LookDeps,
  container: ContainerInspect,
  { port, name, proxyProtocol }: { port: number; name: string; proxyProtocol: boolean },
): Promise<string | null> {
  const sni = isIP(name) === 0 ? ['-servername', name] : [];
  const commands = [
    // openssl sends no PROXY header.
    ...(proxyProtocol ? [] : [['openssl', 's_client', '-connect', `127.0.0.1:${port}`, ...sni]]),
    // curl prints certificates from 7.88 on.
    [
      'curl',
      '-sk',
      ...(proxyProtocol ? ['--haproxy-protocol'] : []),
      '-o',
      '/dev/null',
      '-w',
      '%{certs}',
      '--resolve',
      `${name}:${port}:127.0.0.1`,
      `https://${name}:${port}/`,
    ],
  ];
  for (const command of commands) {
    const said = await execInside({ engine, container, addresses: [] }, command);
    const pem = 'stdout' in said ? PEM.exec(said.stdout)?.[0] : undefined;
    if (pem !== undefined) return pem;
  }
  return null;
}
