import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { nginxConfiguration } from '../containers/nginx';
import { BOUNDS } from '../domain/bounds';
import { type Certificate, type CertificateSeen, isSameCertificate } from '../domain/certificates/certificate';
import type { Container } from '../domain/container';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, isEngineLost, messageOf, PilotError, rethrowEngineLost } from '../domain/errors';
import { type NginxSite, nginxSites } from '../domain/nginx/nginx-sites';
import type { Engine } from '../ports/engine';
import { addressesOf } from '../probes/addresses';
import { execInside } from '../probes/exec-probe';
import { entriesOf, readContainerFile, type Limits } from '../probes/read-file';
import type { LookDeps } from './renewal-places';

/** Where certbot stores renewed certificates by default (certbot, "Where are my certificates?"). */
const LIVE = '/etc/letsencrypt/live';
const HTTPS = 443;

/** A certificate on disk that no configuration names. */
export interface Lineage {
  name: string;
  disk: Certificate;
}

/** Every certificate that an nginx is configured with, on disk and as served. */
export async function certificatesOfNginx(
  deps: LookDeps,
  container: Container,
  inspect: ContainerInspect,
): Promise<CertificateSeen[]> {
  const sites = nginxSites(await configurationOf(deps.engine, container));
  return Promise.all(sites.map((site) => lookAtSite(deps, container, inspect, site)));
}

/** Of a server whose configuration is not known: certbot's certificates, read on port 443. */
export async function certificatesOfServer(
  deps: LookDeps,
  container: Container,
  inspect: ContainerInspect,
  lineages: Lineage[],
): Promise<CertificateSeen[]> {
  return Promise.all(
    lineages.map(async ({ name, disk }) => {
      const served = await known(() => askServed(deps, inspect, { port: HTTPS, name }));
      return seen(container, name, { disk, served: served.value, problem: served.problem });
    }),
  );
}

/** Certbot's own certificates, read in the container that holds them, running or not. */
export async function lineagesIn(engine: Engine, container: Container): Promise<Lineage[]> {
  const found = await Promise.all(
    (await foldersIn(engine, container.id, LIVE)).map(async (folder) => {
      const content = await readCertificateFile(engine, container.id, `${LIVE}/${folder}/fullchain.pem`);
      if (content === null) return [];
      const disk = parseCertificate(content, `The certificate ${folder} of ${container.name}`);
      return [{ name: askableName(disk) ?? folder, disk }];
    }),
  );
  return found.flat();
}

async function configurationOf(engine: Engine, container: Container): Promise<string> {
  try {
    return await nginxConfiguration(engine, container.id);
  } catch (error) {
    rethrowEngineLost(error);
    throw new PilotError(
      'certificate_unreadable',
      `The configuration of ${container.name} could not be read: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function lookAtSite(
  deps: LookDeps,
  container: Container,
  inspect: ContainerInspect,
  site: NginxSite,
): Promise<CertificateSeen> {
  const files = await known(() => readAll(deps.engine, container, site.paths));
  const first = files.value?.[0] ?? null;
  const name = site.name ?? (first && askableName(first)) ?? container.name;
  const served = await known(() => askServed(deps, inspect, { ...site, name }));
  // With several kinds of key, the client decides which one is served.
  const disk = files.value?.find((each) => isSameCertificate(each, served.value)) ?? first;
  return seen(container, name, { disk, served: served.value, problem: files.problem ?? served.problem });
}

async function readAll(engine: Engine, container: Container, paths: string[]): Promise<Certificate[]> {
  return Promise.all(
    paths.map(async (path) => {
      const content = await readCertificateFile(engine, container.id, path);
      if (content !== null) return parseCertificate(content, `${path} in ${container.name}`);
      throw new PilotError('certificate_unreadable', `${path} does not exist in ${container.name}.`);
    }),
  );
}

/** A certificate that cannot be read is something seen; a missing engine is not. */
async function known<T>(look: () => Promise<T>): Promise<{ value: T | null; problem: string | null }> {
  try {
    return { value: await look(), problem: null };
  } catch (error) {
    if (isEngineLost(error) || codeOf(error) === 'internal_error') throw error;
    return { value: null, problem: messageOf(error) };
  }
}

function seen(
  { project, name: server }: Container,
  name: string,
  rest: Pick<CertificateSeen, 'disk' | 'served' | 'problem'>,
): CertificateSeen {
  return { name, project, server, ...rest };
}

/** Its first name; in place of a wildcard any name that it covers. */
function askableName({ names }: Certificate): string | null {
  return names.find((name) => !name.startsWith('*.')) ?? names[0]?.replace('*', 'www') ?? null;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;

/**
 * The certificate that a container serves: asked at every address at which this process may reach it (in a shared network
 * namespace those of its owner), else from inside, with whatever its image has. Rejects with `certificate_unreadable`.
 */
export async function askServed(
  deps: LookDeps,
  server: ContainerInspect,
  { port, name, proxyProtocol = false }: { port: number; name: string; proxyProtocol?: boolean },
): Promise<Certificate> {
  const what = `The certificate for ${name} that ${server.Name.slice(1)} serves on port ${port}`;
  let reason = 'it has no address that this process could reach.';
  for (const host of await addressesOf(deps, server)) {
    try {
      return parseCertificate(await deps.certificates.served({ host, port, name, proxyProtocol }), what);
    } catch (error) {
      if (codeOf(error) === 'internal_error') throw error;
      reason = messageOf(error);
    }
  }
  const inside = await askInside(deps, server, { port, name, proxyProtocol });
  if (inside !== null) return parseCertificate(inside, what);
  throw new PilotError(
    'certificate_unreadable',
    `${what} could not be read: ${reason} diun-pilot must share a network with that container, because its image has no openssl or curl to read the certificate from inside.`,
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

/** Reads PEM (the first certificate of a chain) or DER. Rejects with `certificate_unreadable`, naming `what`. */
export function parseCertificate(content: Buffer | string, what: string): Certificate {
  try {
    const read = new X509Certificate(content);
    return {
      fingerprint: read.fingerprint256.replaceAll(':', '').toLowerCase(),
      names: namesOfCertificate(read),
      notBefore: new Date(read.validFrom).toISOString(),
      notAfter: new Date(read.validTo).toISOString(),
    };
  } catch (error) {
    throw new PilotError('certificate_unreadable', `${what} is not a certificate: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function namesOfCertificate({ subjectAltName, subject }: X509Certificate): string[] {
  const alternative = [...(subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(
    ([, name]) => name ?? '',
  );
  const common = /^CN=(.+)$/m.exec(subject ?? '')?.[1];
  return alternative.length > 0 || common === undefined ? alternative : [common];
}

/** Larger than any certificate. */
const LIMITS: Limits = {
  mostBytes: BOUNDS.certificateFile.bytes,
  refuse: (why) => new PilotError('certificate_unreadable', why),
};

/**
 * A file of a container, running or not; symbolic links are followed inside the container, as certbot's `live/` leads to
 * its `archive/`. Null: it is not there. Rejects with `certificate_unreadable` unless it is a file of a certificate's size.
 */
export function readCertificateFile(engine: Engine, id: string, path: string): Promise<Buffer | null> {
  return readContainerFile(engine, id, path, LIMITS);
}

/** Names of the folders directly inside a folder of a container; none when it is not there. */
export async function foldersIn(engine: Engine, id: string, folder: string): Promise<string[]> {
  const entries = (await entriesOf(engine, id, folder, LIMITS)) ?? [];
  const names = entries.flatMap(({ header: { name } }) => /^[^/]+\/([^/]+)\/./.exec(name)?.[1] ?? []);
  return [...new Set(names)].sort();
}
