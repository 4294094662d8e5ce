import type { Settings } from './config/schema';
import { createHealth } from './http/health/health';
import { startHeartbeat } from './http/health/heartbeat';
import { listen, type Listening } from './http/listen';
import { createHttpApp } from './http/server';
import type { Clock } from './lib/clock';
import type { Logger } from './lib/logger';
import type { Loop } from './lib/loop';
import { createDelivery, createNoticeDelivery, deliverAll } from './notifications/deliver';
import type { BackupStorage } from './ports/backup-storage';
import type { Channel, MailTransport } from './ports/mail-transport';
import type { Engine } from './ports/engine';
import type { Store } from './ports/store';
import { watchEngine } from './queue/watch-engine';
import { createWorkplace } from './queue/workplace';
import { runTimers } from './schedule/run-timers';
import { timerPlans, viewTimers, type TimerView } from './schedule/timer-plans';
import { createAdapters } from './wiring/adapters';
import { httpDepsOf } from './wiring/http';
import { requestsOf, type Requests } from './wiring/requests';
import { version } from './wiring/version';

/** The program, wired once: what the command line and the HTTP server are given. */
export interface App extends Requests {
  settings: Settings;
  store: Store;
  engine: Engine;
  storage: BackupStorage;
  transport: MailTransport;
  /** In addition to mail. */
  channels: readonly Channel[];
  clock: Clock;
  logger: Logger;
  /** When each timer runs next, and what came of its last run. */
  timers(): TimerView[];
  /** Takes the data directory's worker lock, takes up what was interrupted, and works the queue. False: another process does. */
  startWorker(): Promise<boolean>;
  /** HTTP, and the worker as soon as its lock is free. Never needs an engine to start. */
  startServing(): Promise<{ port: number }>;
  /** Resolves, with the reason, when the service must end on its own in order to be started again. */
  mustEnd: Promise<string>;
  /** Graceful, within 10 s: what cannot be finished in that time is left to the next start. */
  close(): Promise<void>;
}

const HTTP_CLOSES_WITHIN_MS = 1_500;

/** Opened in this order: database, worker and timers, HTTP. What was opened last is closed first. */
export function openApp(settings: Settings, { logger }: { logger: Logger }): App {
  const { deps, transport, channels, takeWorkerLock } = createAdapters(settings, logger);
  const { store, engine, storage, clock } = deps;
  const plans = timerPlans(settings);
  const delivery = deliverAll([
    createDelivery({ ...{ store, transport, clock, logger }, ...sendersOf(settings) }),
    ...channels.map((channel) => createNoticeDelivery({ store, channel, clock, logger })),
  ]);
  let end: (reason: string) => void = () => undefined;
  const mustEnd = new Promise<string>((resolve) => (end = resolve));
  const workplace = createWorkplace({
    deps,
    takeLock: takeWorkerLock,
    delivery,
    startTimers: (wake) => runTimers({ store, clock, logger, plans, wake }),
    watchEngine: () => watchEngine({ deps, delivery, end }),
  });
  const timers = (): TimerView[] => viewTimers(plans, store.timers, clock.now());
  const requests = { ...requestsOf(deps, () => workplace.wake()), timers };
  let listening: Listening | null = null;
  let heartbeat: Loop | null = null;

  return {
    ...{ settings, store, engine, storage, transport, channels, clock, logger },
    ...requests,
    mustEnd,
    startWorker: () => Promise.resolve(workplace.enter()),
    startServing: async () => {
      useChannels(store, channels, logger);
      const http = httpDepsOf(settings, deps, workplace, requests);
      listening = await listen(createHttpApp(http), settings);
      recordStart(settings, store);
      const parts = { ask: createHealth(http), clock, logger };
      heartbeat = settings.heartbeat && startHeartbeat({ ...settings.heartbeat, ...parts });
      workplace.enterWhenFree();
      return { port: listening.port };
    },
    close: async () => {
      await heartbeat?.stop();
      await listening?.close(HTTP_CLOSES_WITHIN_MS);
      if (await workplace.leave()) store.close();
    },
  };
}

/**
 * From now on the channels of the settings get notices, and no others. Only the service decides this, since a command may run
 * with other settings.
 */
function useChannels(store: Store, channels: readonly Channel[], logger: Logger): void {
  const givenUp = store.channels.use(channels);
  if (givenUp > 0) logger.warn('notices to channels that are no longer set were given up', { notices: givenUp });
}

function sendersOf({ mailFrom, mailTo, mailDigest }: Settings): { from: string; to: string[]; digest: boolean } {
  return { from: mailFrom, to: mailTo, digest: mailDigest !== null };
}

/** What a reader of the audit trail must know of the settings; no secret is in it. */
function recordStart({ publicUrl, mode, backup, mail, channels, schedules, timeZone }: Settings, store: Store): void {
  const detail = {
    ...{ version: version(), publicUrl, mode, backup: backup.kind, mail: mail.kind, schedules, timeZone },
    channels: channels.map(({ name }) => name),
  };
  store.audit.append({ kind: 'start', actor: 'diun-pilot', subject: null, detail });
}
