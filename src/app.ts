import type { Settings } from './config/schema';
import { listen, type Listening } from './http/listen';
import { createHttpApp } from './http/server';
import type { Clock } from './lib/clock';
import type { Logger } from './lib/logger';
import { createDelivery } from './notifications/deliver';
import type { BackupStorage } from './ports/backup-storage';
import type { Engine } from './ports/engine';
import type { MailTransport } from './ports/mail-transport';
import type { Store } from './ports/store';
import { watchEngine } from './queue/watch-engine';
import { createWorkplace } from './queue/workplace';
import { runTimers } from './schedule/run-timers';
import { timerPlans, viewTimers, type TimerView } from './schedule/timer-plans';
import { createAdapters } from './wiring/adapters';
import { httpDepsOf } from './wiring/http';
import { requestsOf, type Requests } from './wiring/requests';

/** The program, wired once: what the command line and the HTTP server are given. */
export interface App extends Requests {
  settings: Settings;
  store: Store;
  engine: Engine;
  storage: BackupStorage;
  transport: MailTransport;
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
  const { deps, transport, takeWorkerLock } = createAdapters(settings, logger);
  const { store, engine, storage, clock } = deps;
  const plans = timerPlans(settings);
  const delivery = createDelivery({ store, transport, clock, logger, from: settings.mailFrom, to: settings.mailTo });
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

  return {
    ...{ settings, store, engine, storage, transport, clock, logger },
    ...requests,
    mustEnd,
    startWorker: () => Promise.resolve(workplace.enter()),
    startServing: async () => {
      listening = await listen(createHttpApp(httpDepsOf(settings, deps, workplace, requests)), settings);
      workplace.enterWhenFree();
      return { port: listening.port };
    },
    close: async () => {
      await listening?.close(HTTP_CLOSES_WITHIN_MS);
      if (await workplace.leave()) store.close();
    },
  };
}
