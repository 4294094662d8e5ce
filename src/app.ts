import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAdapters } from './adapters';
import { requestBackups } from './backups/backup-queue';
import { lookAtCertificates } from './certificates/look';
import { findPlaces } from './certificates/renewal-places';
import { requestRenewal } from './certificates/renewal-queue';
import type { Settings } from './config/schema';
import { foreseeCarryOvers } from './containers/carry-over/refusals';
import { findUnhealthy } from './containers/check-health';
import { readContainers } from './containers/read-containers';
import { decideById, type Decided } from './decisions/approve';
import { requestUpdate } from './decisions/request-update';
import { lookAtSignatures, type SignatureSeen } from './decisions/signatures';
import type { Deps } from './deps';
import { schedulerCheck, underMode } from './diagnosis/health-report';
import { workProblems } from './diagnosis/problems';
import type { BackupRecord } from './domain/backups/backup';
import type { RestoreRecord } from './domain/backups/restore';
import type { CertificateSeen, RenewalRecord } from './domain/certificates/certificate';
import type { Container } from './domain/container';
import type { HealthFailure } from './domain/health/health-failure';
import { refuseWhileObserving } from './domain/mode';
import type { CarryOver } from './domain/recreate/carry-over';
import type { Rehearsal } from './domain/rehearsal/rehearsal';
import type { DecidedBy, Update } from './domain/update';
import type { HttpDeps } from './http/deps';
import { createHealth } from './http/health/health';
import { startHeartbeat } from './http/health/heartbeat';
import { listen, type Listening } from './http/listen';
import { approvalLinks } from './http/routes/approvals';
import { restoreLinks, soakLinks, viewLinks } from './http/routes/links';
import { receiveTogether } from './http/routes/webhook';
import { createHttpApp } from './http/server';
import type { Clock } from './lib/clock';
import type { Logger, Progress } from './lib/logger';
import type { Loop } from './lib/loop';
import type { Secret } from './lib/secret';
import { createDelivery, createNoticeDelivery, deliverAll } from './notifications/deliver';
import type { BackupStorage } from './ports/backup-storage';
import type { Engine } from './ports/engine';
import type { Channel, MailTransport } from './ports/mail-transport';
import type { Store } from './ports/store';
import { watchEngine } from './queue/watch-engine';
import { createWorkplace, type Workplace } from './queue/workplace';
import { requestRehearsal } from './rehearsals/run-next-rehearsal';
import type { RestorePlan } from './restores/plan-restore';
import {
  type PlannedRestore,
  planOfRestore,
  rehearse,
  requestRestore,
  type RestoreRequest,
} from './restores/restore-queue';
import { foreseeStackTag } from './rollouts/keep-stack-tag';
import { runTimers, timerPlans, type TimerView, viewTimers } from './schedule/timers';
import { freeOnEngine } from './services/look-at-disk';
import { lookAtSwarm, readTargets, type SwarmSeen } from './services/read-targets';
import { foreseeTag, type TagForesight } from './updates/new-tag/keep-tag';

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
  /** Takes the data directory's worker lock, recovers what was interrupted, and works the queue. False: another process does. */
  startWorker(): Promise<boolean>;
  /** HTTP, and the worker as soon as its lock is free. Never needs an engine to start. */
  startServing(): Promise<{ port: number }>;
  /** Resolves, with the reason, when the service must end on its own in order to be started again. */
  mustEnd: Promise<string>;
  /** Graceful, within 10 s: what cannot be finished in that time is left to the next start. */
  close(): Promise<void>;
}

const HTTP_CLOSES_WITHIN_MS = 1_500;

/** What a person may ask for, at the command line, on the page or by the API. What is to be done is queued, and the worker woken. */
interface Requests {
  /** Read through the engine, labels parsed. */
  containers(): Promise<Container[]>;
  /** The Swarm that the engine is in, and on a manager its services, as policy sees them. */
  swarm(): Promise<SwarmSeen>;
  /** `by`: left out, the API. */
  requestUpdate(request: { container: string; image?: string }, by?: DecidedBy): Promise<Update>;
  /** Throws `update_not_found` and `not_waiting`. */
  requestRehearsal(updateId: string, by?: 'link'): Rehearsal;
  requestBackups(request: { project?: string }): Promise<BackupRecord[]>;
  /** What a restore would do; changes nothing. */
  planRestore(request: RestoreRequest): Promise<PlannedRestore>;
  /** Reads the whole set as a restore would; changes nothing. */
  rehearseRestore(plan: RestorePlan, onProgress: Progress): Promise<void>;
  requestRestore(plan: PlannedRestore, request: Pick<RestoreRequest, 'project' | 'trust'>): RestoreRecord;
  /** Renews what is due, as soon as nothing else runs. */
  requestRenewal(): RenewalRecord;
  /** Decides on an update that waits; rejects with `update_not_found`, `not_waiting`, `no_window` and `registry_refused`. */
  decideById(id: string, decided: Decided | 'window', by: DecidedBy): Promise<Update>;
  /** What only looks, for `check`. */
  look: {
    /** What would become of a newer tag; null: none is looked for. */
    newTag(target: Container): Promise<TagForesight | null>;
    /** Which of them fail their own health check now, by id. */
    unhealthy(containers: readonly Container[]): Promise<ReadonlyMap<string, HealthFailure>>;
    /** What a replacement of each would be refused for or would lose, by ID. */
    carryOver(containers: readonly Container[]): Promise<ReadonlyMap<string, CarryOver>>;
    /** Whether what they run is signed, as required where something is. */
    signatures(containers: readonly Container[]): Promise<SignatureSeen[]>;
    /** The free bytes on the disk of the engine; null: not known. */
    freeOnEngine(): Promise<number | null>;
    /** Every certificate, as served and as on disk now. */
    certificates(): Promise<CertificateSeen[]>;
  };
}

/** Opened in this order: database, worker and timers, HTTP. What was opened last is closed first. */
export function openApp(settings: Settings, { logger }: { logger: Logger }): App {
  const { deps, transport, channels, takeWorkerLock } = createAdapters(settings, logger);
  const { store, engine, storage, clock } = deps;
  const plans = timerPlans(settings);
  const delivery = deliverAll([
    createDelivery({
      ...{ store, transport, clock, logger },
      ...{ from: settings.mailFrom, to: settings.mailTo, digest: settings.mailDigest !== null },
    }),
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
      const [last] = store.audit.list({ limit: 1 }).entries;
      // Where the log goes, the trail can be proved later: `audit --noted HASH`.
      logger.info('the audit trail continues', { records: last?.number, hash: last?.hash });
      const parts = { ask: createHealth(http), clock, logger };
      heartbeat = settings.heartbeat && startHeartbeat({ ...settings.heartbeat, ...parts });
      workplace.enterWhenFree();
      return { port: listening.port };
    },
    close: async () => {
      const silent = heartbeat?.stop();
      await listening?.close(HTTP_CLOSES_WITHIN_MS);
      const ended = await workplace.leave();
      await silent; // it reads the store
      if (ended) store.close();
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

/** What a reader of the audit trail must know of the settings; no secret is in it. */
function recordStart({ publicUrl, mode, backup, mail, channels, schedules, timeZone }: Settings, store: Store): void {
  const detail = {
    ...{ version: version(), publicUrl, mode, backup: backup.kind, mail: mail.kind, schedules, timeZone },
    channels: channels.map(({ name }) => name),
  };
  store.audit.append({ kind: 'start', actor: 'diun-pilot', subject: null, detail });
}

/** `wake`: after something was queued. */
export function requestsOf(deps: Deps, wake: () => void): Requests {
  const containers = (): Promise<Container[]> => readContainers(deps.engine, deps.selfId);
  const queued = <T>(asked: T): T => {
    wake();
    return asked;
  };
  return {
    containers,
    swarm: () => lookAtSwarm(deps),
    requestUpdate: async (request, by) => queued(await requestUpdate(deps, request, by)),
    requestRehearsal: (updateId, by) => queued(requestRehearsal(deps, updateId, by)),
    requestBackups: async (request) => {
      const there = { store: deps.store, containers: await readTargets(deps) };
      return queued(requestBackups(there, { ...request, reason: 'operator' }));
    },
    planRestore: (request) => planOfRestore(deps, request),
    rehearseRestore: (plan, onProgress) => rehearse(deps, plan, onProgress),
    requestRestore: (plan, request) => {
      refuseWhileObserving(deps.mode, 'No restore was queued.');
      return queued(requestRestore(deps.store, plan, request));
    },
    requestRenewal: () => queued(requestRenewal(deps, { reason: 'operator' })),
    decideById: async (id, decided, by) => queued(await decideById(deps, id, decided, by)),
    look: {
      newTag: (target) => (target.swarm ? foreseeStackTag(deps, target) : foreseeTag(deps, target)),
      unhealthy: (containers) => findUnhealthy(deps, containers),
      carryOver: (containers) => foreseeCarryOvers(deps, containers),
      signatures: (containers) => lookAtSignatures(deps, containers),
      freeOnEngine: () => freeOnEngine(deps),
      certificates: async () => lookAtCertificates(deps, await findPlaces(deps)),
    },
  };
}

/** What the HTTP side is given. Its closures are next to their routes. */
function httpDepsOf(
  settings: Settings,
  deps: Deps,
  workplace: Pick<Workplace, 'wake' | 'state'>,
  requests: Requests & { timers(): TimerView[] },
): HttpDeps {
  const { store, clock, logger } = deps;
  const { webhookTokens, apiToken, publicUrl, trustedProxies, channels, mode } = settings;
  const wake = (): void => workplace.wake();
  return {
    ...{ webhookTokens, apiToken, publicUrl, trustedProxies, channels, mode, store, clock, logger },
    ...requests,
    version: version(),
    receiveWebhook: receiveTogether(store, wake),
    approvals: { ...approvalLinks(deps, wake), decideById: (id, decided, by) => requests.decideById(id, decided, by) },
    restoreLinks: restoreLinks(deps, wake),
    soakLinks: soakLinks(deps, wake),
    viewLinks: viewLinks(deps),
    notesFetches: () => deps.releaseNotes.fetches(),
    formSecret: settings.approvalSecrets[0] as Secret,
    health: {
      pingEngine: () => deps.engine.version(),
      scheduler: () => underMode(mode, schedulerCheck(workplace.state(), workProblems(store.timers.all()))),
    },
  };
}

export function version(): string {
  const packageJson = readFileSync(join(__dirname, '..', 'package.json'), 'utf8');
  return (JSON.parse(packageJson) as { version: string }).version;
}
