import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createComposePlugin } from './adapters/compose/compose-plugin';
import { createDockerEngine } from './adapters/docker/docker-engine';
import type * as SesAdapter from './adapters/mail-ses/ses-transport';
import { createFileTransport } from './adapters/mail-file/file-transport';
import { createSmtpTransport } from './adapters/mail-smtp/smtp-transport';
import { createRegistryTags } from './adapters/docker/registry-tags';
import { createProjectFiles } from './adapters/project-files/project-files';
import { createSqliteStore } from './adapters/sqlite/store';
import { takeWorkerLock } from './adapters/sqlite/worker-lock';
import { createTlsCertificateReader } from './adapters/tls/tls-certificate-reader';
import type * as S3Adapter from './adapters/storage-s3/s3-storage';
import { createFileStorage } from './adapters/storage-file/file-storage';
import { decideApproval } from './approvals/decide-approval';
import { readApproval } from './approvals/read-approval';
import { decideById, type Decided } from './approvals/record-decision';
import { decideRestoreLink, readRestoreLink } from './approvals/restore-link';
import { requestBackups } from './backups/request-backup';
import { lookAtCertificates } from './certificates/look';
import { findPlaces } from './certificates/renewal-places';
import { requestRenewal } from './certificates/request-renewal';
import type { CertificateSeen } from './domain/certificate';
import type { RestoreRecord } from './domain/restore';
import type { RestorePlan } from './restores/plan-restore';
import { planOfRestore, rehearse, requestRestore, type RestoreRequest } from './restores/request-restore';
import type { Settings } from './config/schema';
import type { BackupRecord } from './domain/backup';
import type { Container } from './domain/container';
import type { RenewalRecord } from './domain/renewal';
import type { Update } from './domain/update';
import type { HttpDeps } from './http/deps';
import { schedulerCheck } from './http/health-report';
import { listen, type Listening } from './http/listen';
import { createHttpApp } from './http/server';
import { commitTogether } from './lib/commit-together';
import { systemClock, type Clock } from './lib/clock';
import type { Logger } from './lib/logger';
import type { Secret } from './lib/secret';
import { ownContainerId } from './lib/own-container';
import { createDelivery } from './notifications/deliver';
import type { BackupStorage } from './ports/backup-storage';
import type { Engine } from './ports/engine';
import type { MailTransport } from './ports/mail-transport';
import type { Store } from './ports/store';
import { runTimers } from './schedule/run-timers';
import { timerPlans, viewTimers, type TimerView } from './schedule/timer-plans';
import { foreseeTag, type TagForesight } from './updates/foresee-tag';
import { createWorkplace, type Workplace } from './updates/workplace';
import { readContainers } from './updates/read-containers';
import { receiveWebhook } from './updates/receive-webhook';
import { requestUpdate } from './updates/request-update';
import type { UpdateDeps } from './updates/run';

/** The program, wired once: what the command line and the HTTP server are given. */
export interface App {
  settings: Settings;
  store: Store;
  engine: Engine;
  storage: BackupStorage;
  transport: MailTransport;
  clock: Clock;
  logger: Logger;
  /** Read through the engine, labels parsed. */
  containers(): Promise<Container[]>;
  requestUpdate(request: { container: string; image?: string }): Promise<Update>;
  requestBackups(request: { project?: string }): Promise<BackupRecord[]>;
  /** What a restore would do; changes nothing. */
  planRestore(request: RestoreRequest): Promise<RestorePlan>;
  /** Reads the whole set as a restore would; changes nothing. */
  rehearseRestore(plan: RestorePlan, onProgress: (detail: string) => void): Promise<void>;
  requestRestore(plan: RestorePlan, request: Pick<RestoreRequest, 'project'>): RestoreRecord;
  /** What only looks, for `check`. */
  look: {
    /** What would become of a newer tag; null: none is looked for. */
    newTag(container: Container): Promise<TagForesight | null>;
    /** Every certificate, as served and as on disk now. */
    certificates(): Promise<CertificateSeen[]>;
  };
  /** When each timer runs next, and what came of its last run. */
  timers(): TimerView[];
  /** Renews what is due, as soon as nothing else runs. */
  requestRenewal(): RenewalRecord;
  /** Decides on an update that waits; throws `update_not_found` and `not_waiting`. */
  decideById(id: string, decided: Decided, how: string): Update;
  /** Takes the data directory's worker lock, takes up what was interrupted, and works the queue. False: another process does. */
  startWorker(): Promise<boolean>;
  /** HTTP, and the worker as soon as its lock is free. Never needs an engine to start. */
  startServing(): Promise<{ port: number }>;
  /** Graceful, within 10 s: what cannot be finished in that time is left to the next start. */
  close(): Promise<void>;
}

const HTTP_CLOSES_WITHIN_MS = 1_500;

export function openApp(settings: Settings, { logger }: { logger: Logger }): App {
  const clock = systemClock;
  mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
  const store = createSqliteStore({ path: join(settings.dataDir, 'pilot.db'), clock });
  const engine = createDockerEngine(settings);
  const storage = createStorage(settings);
  const transport = createTransport(settings, logger);
  const { publicUrl, approvalTtlMs, approvalSecrets, retention, timeZone } = settings;
  const deps: UpdateDeps = {
    ...{ engine, store, storage, clock, logger, publicUrl, approvalTtlMs, approvalSecrets, retention, timeZone },
    projectFiles: createProjectFiles(),
    compose: createComposePlugin({ scratch: join(settings.dataDir, 'compose') }),
    registryTags: createRegistryTags(settings),
    certificates: createTlsCertificateReader(),
    selfId: ownContainerId(),
  };
  const delivery = createDelivery({ store, transport, clock, logger, from: settings.mailFrom, to: settings.mailTo });
  const takeLock = (): ReturnType<typeof takeWorkerLock> => takeWorkerLock(join(settings.dataDir, 'worker.lock'));
  const plans = timerPlans(settings);
  const startTimers = (wake: () => void): { stop(): void } => runTimers({ store, clock, logger, plans, wake });
  const workplace = createWorkplace({ deps, delivery, takeLock, startTimers });
  const requests = { ...requestsOf(deps, workplace), timers: () => viewTimers(plans, store.timers, clock.now()) };
  let listening: Listening | null = null;

  return {
    ...{ settings, store, engine, storage, transport, clock, logger },
    ...requests,
    startWorker: () => Promise.resolve(workplace.enter()),
    startServing: async () => {
      listening = await listen(createHttpApp(httpDeps(settings, deps, workplace, requests)), settings);
      workplace.enterWhenFree();
      return { port: listening.port };
    },
    close: async () => {
      await listening?.close(HTTP_CLOSES_WITHIN_MS);
      if (await workplace.leave()) store.close();
    },
  };
}

type Requests = Pick<
  App,
  | 'containers'
  | 'requestUpdate'
  | 'requestBackups'
  | 'requestRenewal'
  | 'planRestore'
  | 'rehearseRestore'
  | 'requestRestore'
  | 'decideById'
  | 'timers'
  | 'look'
>;

function requestsOf(deps: UpdateDeps, workplace: Workplace): Omit<Requests, 'timers'> {
  const containers = (): Promise<Container[]> => readContainers(deps.engine, deps.selfId);
  return {
    containers,
    look: {
      newTag: (container) => foreseeTag(deps, container),
      certificates: async () => lookAtCertificates(deps, await findPlaces(deps)),
    },
    requestUpdate: async (request) => {
      const update = await requestUpdate(deps, request);
      workplace.wake();
      return update;
    },
    decideById: (id, decided, how) => {
      const update = decideById(deps, id, decided, how);
      workplace.wake();
      return update;
    },
    requestRenewal: () => {
      const record = requestRenewal(deps, { reason: 'operator' });
      workplace.wake();
      return record;
    },
    planRestore: (request) => planOfRestore(deps, request),
    rehearseRestore: (plan, onProgress) => rehearse(deps, plan, onProgress),
    requestRestore: (plan, request) => {
      const record = requestRestore(deps.store, plan, request);
      workplace.wake();
      return record;
    },
    requestBackups: async (request) => {
      const records = requestBackups(
        { store: deps.store, containers: await containers() },
        { ...request, reason: 'operator' },
      );
      workplace.wake();
      return records;
    },
  };
}

function httpDeps(settings: Settings, deps: UpdateDeps, workplace: Workplace, requests: Requests): HttpDeps {
  const { store, clock, logger, engine } = deps;
  const { webhookTokens, apiToken, publicUrl } = settings;
  const together = commitTogether((work) => store.transaction(work));
  return {
    ...{ webhookTokens, apiToken, publicUrl, store, clock, logger },
    ...requests,
    version: version(),
    approvals: {
      read: (token) => readApproval(deps, token),
      decide: async (token, answer) => {
        const outcome = await decideApproval(deps, token, answer);
        workplace.wake();
        return outcome;
      },
      decideById: (id, decision) => Promise.resolve(requests.decideById(id, decision, 'on the operator page')),
    },
    restoreLinks: {
      read: (token) => readRestoreLink(deps, token),
      decide: (token, answer) => {
        const decided = decideRestoreLink(deps, token, answer);
        workplace.wake();
        return decided;
      },
    },
    formSecret: settings.approvalSecrets[0] as Secret,
    receiveWebhook: async (rawBody) => {
      const received = await together(() => receiveWebhook(store.inbox, rawBody));
      workplace.wake();
      return received;
    },
    health: {
      pingEngine: () => engine.version(),
      scheduler: () => schedulerCheck(workplace.state(), store.timers.all()),
    },
  };
}

function createStorage({ backup, awsEndpoint }: Settings): BackupStorage {
  if (backup.kind === 'file') return createFileStorage({ directory: backup.directory });
  // Read only where it is used, as is SES below: the AWS SDK takes 25 MiB of memory.
  const s3 = require('./adapters/storage-s3/s3-storage') as typeof S3Adapter;
  return s3.createS3Storage({ bucket: backup.bucket, prefix: backup.prefix, customEndpoint: awsEndpoint });
}

function createTransport({ mail }: Settings, logger: Logger): MailTransport {
  switch (mail.kind) {
    case 'file':
      return createFileTransport({ folder: mail.directory });
    case 'ses':
      return (require('./adapters/mail-ses/ses-transport') as typeof SesAdapter).createSesTransport();
    case 'smtp':
      return createSmtpTransport({ url: mail.url, logger });
  }
}

export function version(): string {
  const packageJson = readFileSync(join(__dirname, '..', 'package.json'), 'utf8');
  return (JSON.parse(packageJson) as { version: string }).version;
}
