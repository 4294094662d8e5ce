import { nginxConfiguration } from '../containers/nginx';
import { isSame, type Certificate, type CertificateSeen } from '../domain/certificates/certificate';
import type { Container } from '../domain/container';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import { nginxSites, type NginxSite } from '../domain/nginx/nginx-sites';
import type { Engine } from '../ports/engine';
import { askServed } from './ask-served';
import { parseCertificate } from './parse-certificate';
import { foldersIn, readFile } from './read-file';
import type { LookDeps } from './renewal-deps';

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
      const content = await readFile(engine, container.id, `${LIVE}/${folder}/fullchain.pem`);
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
    if (codeOf(error) === 'engine_unreachable') throw error;
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
  const disk = files.value?.find((each) => isSame(each, served.value)) ?? first;
  return seen(container, name, { disk, served: served.value, problem: files.problem ?? served.problem });
}

async function readAll(engine: Engine, container: Container, paths: string[]): Promise<Certificate[]> {
  return Promise.all(
    paths.map(async (path) => {
      const content = await readFile(engine, container.id, path);
      if (content !== null) return parseCertificate(content, `${path} in ${container.name}`);
      throw new PilotError('certificate_unreadable', `${path} is not there in ${container.name}.`);
    }),
  );
}

/** A certificate that cannot be read is something seen; a missing engine is not. */
async function known<T>(look: () => Promise<T>): Promise<{ value: T | null; problem: string | null }> {
  try {
    return { value: await look(), problem: null };
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable' || codeOf(error) === 'internal_error') throw error;
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
