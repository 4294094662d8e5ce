import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { CertificateReader } from '../ports/certificate-reader';
import type { Engine } from '../ports/engine';
import type { Store } from '../ports/store';

/** What the renewal of certificates is given, once, by the wiring. */
export interface RenewalDeps {
  engine: Engine;
  store: Store;
  certificates: CertificateReader;
  clock: Clock;
  logger: Logger;
  publicUrl: string;
  /** Id of the container that this process runs in; null outside one. */
  selfId: string | null;
}

export type LookDeps = Pick<RenewalDeps, 'engine' | 'certificates'>;
