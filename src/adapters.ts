import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createChannel } from './adapters/channels/channels';
import { createComposePlugin } from './adapters/compose/compose-plugin';
import { createDockerEngine } from './adapters/docker/docker-engine';
import { createDockerSwarm } from './adapters/docker/swarm';
import { createRegistryImages } from './adapters/docker/registry/images';
import { createRegistrySignatures } from './adapters/docker/registry/signatures';
import { createRegistryTags } from './adapters/docker/registry/tags';
import { createReleaseNotes } from './adapters/release-notes/release-notes';
import { createFileTransport } from './adapters/mail-file/file-transport';
import type * as SesAdapter from './adapters/mail-ses/ses-transport';
import { createSmtpTransport } from './adapters/mail-smtp/smtp-transport';
import { createProjectFiles } from './adapters/project-files/project-files';
import type * as SigstoreAdapter from './adapters/sigstore/signature-verifier';
import { createSqliteStore } from './adapters/sqlite/store';
import { takeWorkerLock } from './adapters/sqlite/database';
import { createResticStorage } from './adapters/storage-restic/restic-storage';
import { createFileStorage } from './adapters/storage-file/file-storage';
import type * as S3Adapter from './adapters/storage-s3/s3-storage';
import { createTlsCertificateReader } from './adapters/tls/tls-certificate-reader';
import type { Settings } from './config/schema';
import { observingEngine, observingSwarm } from './containers/observing';
import type { Deps } from './deps';
import { systemClock } from './lib/clock';
import type { Logger } from './lib/logger';
import { ownContainerId } from './lib/own-container';
import type { BackupStorage } from './ports/backup-storage';
import type { Channel, MailTransport } from './ports/mail-transport';
import type { SignatureVerifier } from './ports/registry';

/** What use cases are given, and what only the wiring asks of the world. */
export interface Adapters {
  deps: Deps;
  transport: MailTransport;
  /** In addition to mail. */
  channels: Channel[];
  /** That of the data directory; null: another process holds it. */
  takeWorkerLock: () => { release(): void } | null;
}

/** Opens the database; the rest connects when it is asked. */
export function createAdapters(settings: Settings, logger: Logger): Adapters {
  const clock = systemClock;
  mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
  const { publicUrl, approvalTtlMs, approvalSecrets, retention, timeZone } = settings;
  const { backupReuseMs, updateWindow, minAgeMs, keepImages, mode, verify } = settings;
  const store = createSqliteStore({ path: join(settings.dataDir, 'pilot.db'), clock });
  const engine = createDockerEngine(settings);
  return {
    deps: {
      ...{ clock, logger, store, publicUrl, approvalTtlMs, approvalSecrets, retention, timeZone },
      ...{ backupReuseMs, updateWindow, minAgeMs, keepImages, mode, verify },
      mailDigest: settings.mailDigest !== null,
      reconciles: settings.schedules.reconcile !== null,
      swarm: mode === 'observe' ? observingSwarm(createDockerSwarm(settings), store) : createDockerSwarm(settings),
      engine: mode === 'observe' ? observingEngine(engine, store) : engine,
      storage: createStorage(settings),
      projectFiles: createProjectFiles(),
      compose: createComposePlugin({ scratch: join(settings.dataDir, 'compose') }),
      registryTags: createRegistryTags(settings),
      registryImages: createRegistryImages(settings),
      registrySignatures: createRegistrySignatures(settings),
      signatureVerifier: verifierWhenUsed(settings),
      releaseNotes: createReleaseNotes({ ...settings.notes, cache: store.notesCache, now: () => clock.now() }),
      certificates: createTlsCertificateReader(),
      selfId: ownContainerId(),
    },
    transport: createTransport(settings, logger),
    channels: settings.channels.map((target) =>
      createChannel({ target, secret: settings.notifySecret, now: () => clock.now() }),
    ),
    takeWorkerLock: () => takeWorkerLock(join(settings.dataDir, 'worker.lock')),
  };
}

function createStorage({ backup, awsEndpoint }: Settings): BackupStorage {
  if (backup.kind === 'restic') {
    const env = Object.fromEntries(Object.entries(backup.env).map(([name, value]) => [name, value.reveal()]));
    return createResticStorage({ repository: backup.repository.reveal(), env });
  }
  if (backup.kind === 'file') return createFileStorage({ directory: backup.directory });
  // Read only where it is used, as is SES below: the AWS SDK takes 25 MiB of memory.
  const s3 = require('./adapters/storage-s3/s3-storage') as typeof S3Adapter;
  return s3.createS3Storage({ bucket: backup.bucket, prefix: backup.prefix, customEndpoint: awsEndpoint });
}

/** Read only where a signature is checked: Sigstore's libraries take 10 MiB of memory. */
function verifierWhenUsed(settings: Settings): SignatureVerifier {
  let made: SignatureVerifier | null = null;
  const verifier = (): SignatureVerifier => {
    const sigstore = require('./adapters/sigstore/signature-verifier') as typeof SigstoreAdapter;
    return (made ??= sigstore.createSignatureVerifier(settings));
  };
  return {
    verify: (found, digest, rule) => verifier().verify(found, digest, rule),
    isSignature: (found) => verifier().isSignature(found),
  };
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
