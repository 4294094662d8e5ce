import {
  type CertificateSeen,
  daysLeft,
  isNotLoaded,
  nearsItsEnd,
  type RenewalRecord,
} from '../../domain/certificates/certificate';
import type { NoticeTopic } from '../../domain/channel-notice';
import { systemClock, type Clock } from '../../lib/clock';
import type { HttpDeps } from '../deps';
import {
  backupsCheck,
  channelsCheck,
  degraded,
  dockerAndContainers,
  healthReport,
  outboxCheck,
  type ChannelState,
  type Check,
  type HealthReport,
} from './health-report';
import { withinTime } from '../../lib/within-time';

/** `/health` answers within this time, whatever the engine does. */
const ENGINE_ANSWERS_WITHIN_MS = 1_500;
/** `/health` is open to anyone: asked often, it must not become load. */
const KEPT_FOR_MS = 2_000;

const DOCKER_DOWN =
  'no Docker Engine answers: see that it runs and that DOCKER_HOST is right; webhooks are kept until it is back';
const DATABASE_DOWN =
  'the database cannot be read or written: see that the disk is not full and that the data directory is writable';

export type AskHealth = () => Promise<HealthReport>;

/** One observer for the life of the app: it keeps what it saw for two seconds. */
export function createHealth(deps: Pick<HttpDeps, 'version' | 'store' | 'clock' | 'health' | 'channels'>): AskHealth {
  const { store, clock, health } = deps;
  const docker = keptFor(KEPT_FOR_MS, clock, () => dockerCheck(() => health.pingEngine()));
  const database = keptFor(KEPT_FOR_MS, clock, () => Promise.resolve(databaseCheck(() => store.check())));
  return async () => {
    const [dockerSeen, databaseSeen] = await Promise.all([docker(), database()]);
    return healthReport(deps.version, {
      database: databaseSeen,
      docker: dockerAndContainers(
        dockerSeen,
        databaseSeen.status === 'ok' ? store.notices.all() : [],
        databaseSeen.status === 'ok' ? store.keptContainers.all() : [],
      ),
      scheduler: readable(() => health.scheduler()),
      outbox: readable(() => outboxCheck(store.outbox.state(), clock.now())),
      backups: readable(() => backupsCheck(store.backups.list(200), store.notices.all())),
      certificates: readable(() =>
        certificatesCheck(store.certificates.list(), store.renewals.lastFinished(), clock.now()),
      ),
      channels: readable(() => channelsCheck(channelStates(deps), clock.now())),
    });
  };
}

/** How far the deliveries of each channel have come. */
export function channelStates({
  store,
  channels,
}: Pick<HttpDeps, 'store' | 'channels'>): (ChannelState & { topics: readonly NoticeTopic[] })[] {
  return channels.map(({ id, name, topics }) => ({ name, topics, ...store.channels.of(id).state() }));
}

/** The bound is real time, also when the app's clock is held. */
async function dockerCheck(ping: () => Promise<unknown>): Promise<Check> {
  const pinged = async (): Promise<boolean> => (await ping(), true);
  const patience = { clock: systemClock, ms: ENGINE_ANSWERS_WITHIN_MS };
  const up = await withinTime(patience, pinged, () => false).catch(() => false);
  return up ? { status: 'ok' } : { status: 'down', reason: DOCKER_DOWN };
}

function databaseCheck(check: () => void): Check {
  try {
    check();
    return { status: 'ok' };
  } catch {
    return { status: 'down', reason: DATABASE_DOWN };
  }
}

/** A check that cannot be read is reported as such: `/health` itself never fails. */
function readable(check: () => Check): Check {
  try {
    return check();
  } catch {
    return degraded('this could not be read: see the check of the database');
  }
}

function keptFor<T>(ms: number, clock: Clock, ask: () => Promise<T>): () => Promise<T> {
  let kept: { at: number; answer: Promise<T> } | null = null;
  return () => {
    const now = clock.now().getTime();
    if (kept === null || now - kept.at >= ms) kept = { at: now, answer: ask() };
    return kept.answer;
  };
}

/**
 * Degraded when a certificate nears its end, is not the one that is served or could not be looked at, or when the last
 * renewal failed. A host without any certificate is fine.
 */
function certificatesCheck(all: CertificateSeen[], last: RenewalRecord | null, now: Date): Check {
  const reasons = all.flatMap((seen) => reasonsOf(seen, now));
  if (last?.status === 'failed') {
    reasons.push(
      'the last renewal failed: see GET /renewals; it is tried again the next day, or now by `diun-pilot renew`',
    );
  }
  return reasons.length === 0 ? { status: 'ok' } : degraded([...new Set(reasons)].join('; '));
}

function reasonsOf(seen: CertificateSeen, now: Date): string[] {
  const { name, server } = seen;
  const reasons: string[] = [];
  const soonest = [seen.served, seen.disk].filter((each) => each !== null).find((each) => nearsItsEnd(each, now));
  if (soonest !== undefined) {
    const days = daysLeft(soonest, now);
    const when = days < 0 ? 'has ended' : `has ${days} days left`;
    reasons.push(`the certificate of ${name} ${when}: run \`diun-pilot renew\``);
  }
  if (isNotLoaded(seen))
    reasons.push(`${server} serves another certificate for ${name} than is on disk: run \`diun-pilot renew\``);
  if (seen.problem !== null) reasons.push(`a certificate of ${name} could not be looked at: GET /renewals says why`);
  return reasons;
}
