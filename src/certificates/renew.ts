import { reloadNginx } from '../containers/nginx';
import { runsNginx } from '../domain/application';
import {
  type CertbotEnd,
  type CertificateSeen,
  isNotLoaded,
  isSameCertificate,
  type RenewalFacts,
  type RenewalRecord,
  type RenewalVerdict,
  verdictOn,
} from '../domain/certificates/certificate';
import type { Container } from '../domain/container';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, isEngineLost, messageOf, PilotError } from '../domain/errors';
import { lookAtCertificates } from './look';
import { findPlaces, type RenewalDeps, type RenewalPlace } from './renewal-places';
import { runCertbot } from './run-certbot';

const NAMED_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 500;

/**
 * Renews what is due on this engine and verifies that it is served. It compares the certificates before and after, so it
 * may run again after an interruption and does nothing if nothing is due. A certificate that an earlier run renewed but
 * the server did not load is loaded now. A failure is a verdict; only a missing engine rejects.
 */
export async function renew(
  deps: RenewalDeps,
  record: RenewalRecord,
): Promise<{ verdict: RenewalVerdict; before: CertificateSeen[]; after: CertificateSeen[] }> {
  const places = await findPlaces(deps);
  const before = record.before ?? (await rememberBefore(deps, record, places));
  const ends = await runEveryCertbot(deps, places);
  const renewed = await lookUntilNamed(deps, places, before);
  const notLoaded = await loadWhatIsNotServed(deps, places, { before, after: renewed });
  const after = await lookAtCertificates(deps, places);
  return { verdict: verdictOn({ before, after, ends, notLoaded }, deps.clock.now()), before, after };
}

/** Written before certbot is started: a run that is interrupted still knows what was there. */
async function rememberBefore(
  deps: RenewalDeps,
  { id }: RenewalRecord,
  places: RenewalPlace[],
): Promise<CertificateSeen[]> {
  const before = await lookAtCertificates(deps, places);
  deps.store.renewals.change(id, { before });
  return before;
}

/** One after the other: two may share their files. */
async function runEveryCertbot(deps: RenewalDeps, places: RenewalPlace[]): Promise<CertbotEnd[]> {
  const ends: CertbotEnd[] = [];
  for (const certbot of places.flatMap(({ certbots }) => certbots)) {
    deps.logger.info('certbot is started', { container: certbot.name });
    const end = await runCertbot(deps, certbot);
    deps.logger.info('certbot has ended', { container: certbot.name, exitCode: end.exitCode });
    ends.push(end);
  }
  return ends;
}

/** A server may rewrite its configuration when its first certificate is issued: it has a moment to name it. */
async function lookUntilNamed(
  deps: RenewalDeps,
  places: RenewalPlace[],
  before: CertificateSeen[],
): Promise<CertificateSeen[]> {
  const deadline = deps.clock.now().getTime() + NAMED_WITHIN_MS;
  for (;;) {
    const seen = await lookAtCertificates(deps, places);
    const mayName = places.filter((place) => place.servers.length > 0).map(({ project }) => project);
    const unnamed = seen.filter((each) => each.server === null && mayName.includes(each.project));
    const waits = unnamed.some((each) => isNewIn(before, each)) && seen.every(({ disk }) => disk !== null);
    if (!waits || deps.clock.now().getTime() >= deadline) return seen;
    await deps.clock.sleep(LOOK_EVERY_MS);
  }
}

async function loadWhatIsNotServed(
  deps: RenewalDeps,
  places: RenewalPlace[],
  seen: Pick<RenewalFacts, 'before' | 'after'>,
): Promise<RenewalFacts['notLoaded']> {
  const notLoaded: RenewalFacts['notLoaded'] = [];
  for (const place of places) {
    for (const server of place.servers) {
      const stale = staleOf(server, seen);
      if (stale.length === 0) continue;
      deps.logger.info('a certificate is loaded', { container: server.name, names: stale.map(({ name }) => name) });
      try {
        await loadCertificates(deps, place, server, stale);
      } catch (error) {
        notLoaded.push({ server: server.name, words: wordsOf(error) });
      }
    }
  }
  return notLoaded;
}

/** What a server must load. One whose configuration cannot be read must load every new certificate on disk. */
function staleOf(
  { name, project }: Container,
  { before, after }: Pick<RenewalFacts, 'before' | 'after'>,
): CertificateSeen[] {
  const isNew = (each: CertificateSeen): boolean => isNewIn(before, each);
  const own = after.filter(({ server }) => server === name);
  if (own.some(({ disk }) => disk === null)) return after.filter((each) => each.project === project && isNew(each));
  // If the served certificate is unknown, a new certificate on disk is loaded anyway.
  return own.filter((each) => (each.served === null ? isNew(each) : isNotLoaded(each)));
}

function isNewIn(before: CertificateSeen[], { disk }: CertificateSeen): boolean {
  return disk !== null && !before.some((old) => isSameCertificate(old.disk, disk));
}

/** After a reload the first handshakes may still get the old certificate (docs/research/nginx.md). */
const SERVED_WITHIN_MS = 30_000;
const ASK_EVERY_MS = 500;

type Deps = Pick<RenewalDeps, 'engine' | 'certificates' | 'selfId' | 'clock' | 'logger'>;

/**
 * Brings a server to serve what is on disk: nginx is tested, reloaded, and restarted only if it cannot be reloaded; any
 * other server is restarted, since no signal means "load" to all of them. Resolves when all of `stale` is served, seen by
 * asking; rejects with `certificate_not_served` and what to do. Doing it twice is fine.
 */
async function loadCertificates(
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
    const now = seen.find((each) => each.name === name) ?? seen.find((each) => isSameCertificate(each.disk, disk));
    if (now === undefined) return `its configuration does not name the certificate of ${name}`;
    if (!isSameCertificate(now.disk, now.served))
      return now.problem ?? `${name} is still served with the old certificate`;
  }
  return null;
}

function notServed(name: string, why: string, what: string): PilotError {
  return new PilotError(
    'certificate_not_served',
    `The new certificate is on disk, but ${name} does not serve it: ${why}. ${what}, then run: diun-pilot renew`,
  );
}

/** The reason, for a verdict; an error that is not an answer of a server is thrown again. */
function wordsOf(error: unknown): string {
  if (isEngineLost(error) || codeOf(error) === 'internal_error') throw error;
  return messageOf(error);
}
