import type { Mode } from './domain/mode';
import type { Retention } from './domain/backups/retention';
import type { UpdateWindow } from './domain/decision/update-window';
import type { VerifyRule } from './domain/signatures/signature';
import type { Clock } from './lib/clock';
import type { Logger } from './lib/logger';
import type { Secret } from './lib/secret';
import type { BackupStorage } from './ports/backup-storage';
import type { CertificateReader } from './ports/certificates';
import type { Compose, ProjectFiles } from './ports/compose';
import type { Engine } from './ports/engine';
import type { RegistryImages, RegistrySignatures, RegistryTags, SignatureVerifier } from './ports/registry';
import type { ReleaseNotesReader } from './ports/release-notes';
import type { Swarm } from './ports/swarm';
import type { Store } from './ports/store';

/**
 * What the use cases are given, once, by the wiring. A function names the part that it uses, `Pick<Deps, 'store' | 'clock'>`, so
 * that its signature shows whether it may call the engine, write or send. All of it is for the functions at the top of a flow,
 * which hand it on.
 */
export interface Deps {
  engine: Engine;
  swarm: Swarm;
  registryTags: RegistryTags;
  registryImages: RegistryImages;
  registrySignatures: RegistrySignatures;
  signatureVerifier: SignatureVerifier;
  releaseNotes: ReleaseNotesReader;
  store: Store;
  storage: BackupStorage;
  projectFiles: ProjectFiles;
  compose: Compose;
  certificates: CertificateReader;
  clock: Clock;
  logger: Logger;
  /** How old a verified backup may be that the update of a container which cannot change data uses again; 0: none is. */
  backupReuseMs: number;
  /** Defaults of the labels `update.window` and `update.min-age`. */
  updateWindow: UpdateWindow | null;
  minAgeMs: number;
  /** Default of the label `update.keep-images`; null: no image is removed. */
  keepImages: number | null;
  /** Default of the label `update.verify`. */
  verify: VerifyRule;
  /** `observe`: no container is changed. */
  mode: Mode;
  /** The registry is compared by schedule. */
  reconciles: boolean;
  publicUrl: string;
  approvalTtlMs: number;
  /** How many backups are kept, by days in `timeZone` (IANA name). */
  retention: Retention;
  /** What needs no decision and reports no failure is mailed in a digest. */
  mailDigest: boolean;
  timeZone: string;
  /** The first signs links, all verify them. */
  approvalSecrets: readonly Secret[];
  /** Id of the container that this process runs in; null outside one. */
  selfId: string | null;
}
