import { reloadNginx } from '../containers/nginx';
import { runsNginx } from '../domain/application';
import { isSame, type CertificateSeen } from '../domain/certificates/certificate';
import type { Container } from '../domain/container';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, isEngineLost, messageOf, PilotError } from '../domain/errors';
import { lookAtCertificates } from './look';
import type { RenewalDeps, RenewalPlace } from './renewal-places';

/** After a reload the first handshakes may still get the old certificate (facts, nginx). */
const SERVED_WITHIN_MS = 30_000;
const ASK_EVERY_MS = 500;

type Deps = Pick<RenewalDeps, 'engine' | 'certificates' | 'clock' | 'logger'>;

/**
 * Brings a server to serve what is on disk: nginx is tested, reloaded, and restarted only if it cannot be reloaded; any
 * other server is restarted, since no signal means "load" to all of them. Resolves when all of `stale` is served, seen by
 * asking; rejects with `certificate_not_served` and what to do. Doing it twice is fine.
 */
export async function loadCertificates(
  deps: Deps,
  place: RenewalPlace,
  server: Container,
  stale: CertificateSeen[],
): Promise<void> {
  const inspect = await deps.engine.inspectContainer(server.id);
  if (runsNginx(server.labels, inspect.Config.Env)) await load(deps, server, inspect);
  else await deps.engine.restart(server.id);
  await untilServed(deps, { ...place, servers: [server] }, stale);
}

async function load({ engine, logger }: Deps, { name }: Container, container: ContainerInspect): Promise<void> {
  const reloaded = await reloadNginx(engine, container);
  if (reloaded.how === 'refused') {
    const why = `its configuration does not pass, so it was not reloaded: ${reloaded.why}`;
    throw notServed(name, why, 'Fix the configuration');
  }
  if (reloaded.how === 'restarted')
    logger.warn('nginx could not be reloaded, so it is restarted', { container: name, reason: reloaded.why });
}

async function untilServed(deps: Deps, place: RenewalPlace, stale: CertificateSeen[]): Promise<void> {
  const deadline = deps.clock.now().getTime() + SERVED_WITHIN_MS;
  for (;;) {
    const late = await notServedYet(deps, place, stale);
    if (late === null) return;
    if (deps.clock.now().getTime() >= deadline) {
      const name = place.servers[0]?.name ?? 'the server';
      throw notServed(name, `${SERVED_WITHIN_MS / 1000} s after it was reloaded, ${late}`, 'Look at its log');
    }
    await deps.clock.sleep(ASK_EVERY_MS);
  }
}

/** Null: all are. */
async function notServedYet(deps: Deps, place: RenewalPlace, stale: CertificateSeen[]): Promise<string | null> {
  const seen = (await lookAtCertificates(deps, [place])).filter(({ server }) => server !== null);
  for (const { name, disk } of stale) {
    const now = seen.find((each) => each.name === name) ?? seen.find((each) => isSame(each.disk, disk));
    if (now === undefined) return `its configuration does not name the certificate of ${name}`;
    if (!isSame(now.disk, now.served)) return now.problem ?? `${name} is still served with the old certificate`;
  }
  return null;
}

function notServed(name: string, why: string, what: string): PilotError {
  return new PilotError(
    'certificate_not_served',
    `The new certificate is on disk, but ${name} does not serve it: ${why}. ${what}, then ask again: diun-pilot renew`,
  );
}

/** The reason, for a verdict; an error that is not an answer of a server is thrown again. */
export function wordsOf(error: unknown): string {
  if (isEngineLost(error) || codeOf(error) === 'internal_error') throw error;
  return messageOf(error);
}
