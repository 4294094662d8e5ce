import { BOUNDS } from '../../domain/bounds';
import { messageOf } from '../../domain/errors';
import type { Clock } from '../../lib/clock';
import { exchangeInTime } from '../../lib/net/http-exchange';
import type { Logger } from '../../lib/logger';
import { startLoop, type Loop } from '../../lib/loop';
import type { Secret } from '../../lib/secret';
import type { AskHealth } from './health';
import { withoutTrailingSlashes } from '../../domain/text/trailing-slashes';
import { CHECK_NAMES, type HealthReport } from '../../diagnosis/health-report';

const LONGEST_MESSAGE = 250;

interface Parts {
  url: Secret;
  intervalMs: number;
  ask: AskHealth;
  clock: Clock;
  logger: Logger;
}

/**
 * Reports to a service outside of this host, now and after each interval, that diun-pilot is alive; the service raises
 * the alarm when the reports stop (docs/notifications.md). A service that does not answer is logged, once, and asked again after the interval.
 * `stop` ends a call under way: a service that does not answer must not delay the end of diun-pilot.
 */
export function startHeartbeat({ url, intervalMs, ask, clock, logger }: Parts): Loop {
  let failing = false;
  const stopping = new AbortController();
  const loop = startLoop({
    clock,
    restMs: intervalMs,
    gatherMs: 0,
    turn: async () => {
      await call(heartbeatUrl(url.reveal(), await ask()), stopping.signal);
      if (failing) logger.info('the heartbeat is answered again');
      failing = false;
      return false;
    },
    failed: (error) => {
      const fields = { reason: messageOf(error), advice: 'check PILOT_HEARTBEAT_URL and the network' };
      if (!failing && !stopping.signal.aborted)
        logger.warn('the heartbeat was not taken; it is sent again after each interval', fields);
      failing = true;
      return intervalMs;
    },
  });
  return {
    wake: () => loop.wake(),
    stop: () => {
      stopping.abort();
      return loop.stop();
    },
  };
}

/** healthchecks.io: the address itself, or `…/fail`. Uptime Kuma, which has `status=` in its push address: `status=up|down&msg=`. */
export function heartbeatUrl(address: string, { status, checks }: HealthReport): string {
  const url = new URL(address);
  const down = status === 'down';
  if (url.searchParams.has('status')) {
    const reasons = CHECK_NAMES.flatMap((name) =>
      checks[name].status === 'ok' ? [] : [`${name}: ${checks[name].reason}`],
    );
    url.searchParams.set('status', down ? 'down' : 'up');
    url.searchParams.set('msg', reasons.length === 0 ? 'OK' : reasons.join('; ').slice(0, LONGEST_MESSAGE));
  } else if (down) {
    url.pathname = `${withoutTrailingSlashes(url.pathname)}/fail`;
  }
  return url.href;
}

/** The address may hold a token: it is in no message. */
async function call(address: string, signal: AbortSignal): Promise<void> {
  const url = new URL(address);
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const headers: Record<string, string> =
    login === ':' ? {} : { Authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  url.username = '';
  url.password = '';
  const answer = await exchangeInTime({ url, headers, bound: BOUNDS.channelAnswer, signal });
  if (answer.status < 200 || answer.status >= 300) throw new Error(`${url.host} answered ${answer.status}`);
}
