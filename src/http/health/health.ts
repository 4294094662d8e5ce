import { isDue, systemClock, type Clock } from '../../lib/clock';
import type { HttpDeps } from '../deps';
import { dockerCheck, healthReport, type HealthReport } from '../../diagnosis/health-report';
import { asCheck, type Check, degraded } from '../../diagnosis/problem';
import { storedProblems } from '../../diagnosis/problems';
import { withinTime } from '../../lib/promises';

/** `/health` answers within this time, whatever the engine does. */
const ENGINE_ANSWERS_WITHIN_MS = 1_500;
/** `/health` is open to anyone: asked often, it must not become load. */
const KEPT_FOR_MS = 2_000;

const DOCKER_DOWN =
  'no Docker Engine answers: check that it runs, that DOCKER_HOST is correct, and that diun-pilot has the group of the Docker socket (group_add); webhooks are kept until it answers again';
const DATABASE_DOWN =
  'the database cannot be read or written: check that the disk is not full and that the data directory is writable';

export type AskHealth = () => Promise<HealthReport>;

/** One observer for the life of the app: it keeps what it saw for two seconds. */
export function createHealth(deps: Pick<HttpDeps, 'version' | 'store' | 'clock' | 'health' | 'channels'>): AskHealth {
  const { store, clock, health } = deps;
  const docker = keptFor(KEPT_FOR_MS, clock, () => pingCheck(() => health.pingEngine()));
  const database = keptFor(KEPT_FOR_MS, clock, () => Promise.resolve(databaseCheck(() => store.check())));
  const problems = storedProblems(deps);
  return async () => {
    const [dockerSeen, databaseSeen] = await Promise.all([docker(), database()]);
    return healthReport(deps.version, {
      database: databaseSeen,
      docker:
        databaseSeen.status === 'ok'
          ? dockerCheck(dockerSeen, problems.docker(), store.keptContainers.all())
          : dockerSeen,
      scheduler: readable(() => health.scheduler()),
      outbox: readable(() => asCheck(problems.outbox())),
      backups: readable(() => asCheck(problems.backups())),
      certificates: readable(() => asCheck(problems.certificates())),
      channels: readable(() => asCheck(problems.channels())),
    });
  };
}

/** The bound is real time, also when the app's clock is held. */
async function pingCheck(ping: () => Promise<unknown>): Promise<Check> {
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
    if (kept === null || isDue(kept.at + ms, now, ms)) kept = { at: now, answer: ask() };
    return kept.answer;
  };
}
