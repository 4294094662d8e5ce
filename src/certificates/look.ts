import { runsNginx } from '../domain/application';
import {
  alarmThreshold,
  type Certificate,
  type CertificateSeen,
  isSameCertificate,
} from '../domain/certificates/certificate';
import type { Container } from '../domain/container';
import { codeOf, isEngineLost, messageOf } from '../domain/errors';
import { certificateNearEnd } from '../notifications/mails/certificate-near-end';
import { postMail } from '../notifications/post-mail';
import { certificatesOfNginx, certificatesOfServer, lineagesIn, type Lineage } from './find-certificates';
import type { LookDeps, RenewalDeps, RenewalPlace } from './renewal-places';

/** Every certificate of these places, on disk and as served. An unreadable certificate is reported; only a missing engine rejects. */
export async function lookAtCertificates(deps: LookDeps, places: RenewalPlace[]): Promise<CertificateSeen[]> {
  return (await Promise.all(places.map((place) => lookAtPlace(deps, place)))).flat();
}

async function lookAtPlace(deps: LookDeps, { project, certbots, servers }: RenewalPlace): Promise<CertificateSeen[]> {
  const troubles: CertificateSeen[] = [];
  const found = await Promise.all(
    certbots.map((certbot) => orTrouble(certbot, troubles, () => lineagesIn(deps.engine, certbot))),
  );
  const lineages = unique(found.flat());
  const served = await Promise.all(
    servers.map((server) => orTrouble(server, troubles, () => lookAtServer(deps, server, lineages))),
  );
  const known = served.flat();
  const rest = lineages.filter(({ disk }) => !known.some((seen) => isSameCertificate(seen.disk, disk)));
  const unloaded = rest.map(({ name, disk }) => ({ name, project, server: null, disk, served: null, problem: null }));
  return [...known, ...unloaded, ...troubles];
}

async function lookAtServer(deps: LookDeps, server: Container, lineages: Lineage[]): Promise<CertificateSeen[]> {
  const inspect = await deps.engine.inspectContainer(server.id);
  return runsNginx(server.labels, inspect.Config.Env)
    ? certificatesOfNginx(deps, server, inspect)
    : certificatesOfServer(deps, server, inspect, lineages);
}

/** Nothing is known of this container then, but why. */
async function orTrouble<T>(container: Container, troubles: CertificateSeen[], look: () => Promise<T[]>): Promise<T[]> {
  try {
    return await look();
  } catch (error) {
    if (isEngineLost(error) || codeOf(error) === 'internal_error') throw error;
    const { name, project, labels } = container;
    const server = labels.renewalRole === 'server' ? name : null;
    troubles.push({ name, project, server, disk: null, served: null, problem: messageOf(error) });
    return [];
  }
}

/** Two certbots may share a volume. */
function unique(lineages: Lineage[]): Lineage[] {
  return lineages.filter(({ disk }, i) => lineages.findIndex((other) => isSameCertificate(other.disk, disk)) === i);
}

type Deps = Pick<RenewalDeps, 'store' | 'clock' | 'publicUrl'>;

/**
 * Keeps what was seen for `/health`, page and metrics; and for each certificate that has passed another threshold before
 * its end, one mail in the same transaction.
 */
export function saveCertificates(deps: Deps, all: CertificateSeen[]): void {
  const { store } = deps;
  store.transaction(() => {
    store.certificates.replace(all);
    for (const seen of all) {
      for (const certificate of [seen.served, seen.disk]) if (certificate !== null) alarm(deps, seen, certificate);
    }
  });
}

function alarm({ store, clock, publicUrl }: Deps, seen: CertificateSeen, certificate: Certificate): void {
  const threshold = alarmThreshold(certificate, clock.now());
  const last = store.certificates.alarmedAt(certificate.fingerprint);
  if (threshold === null || (last !== null && last <= threshold)) return;
  store.certificates.alarmed(certificate.fingerprint, threshold);
  postMail(store.outbox, certificateNearEnd({ seen, certificate, now: clock.now(), publicUrl }));
}
