import type { Deps } from '../deps';

/** What the renewal of certificates needs. */
export type RenewalDeps = Pick<Deps, 'engine' | 'store' | 'certificates' | 'clock' | 'logger' | 'publicUrl' | 'selfId'>;

export type LookDeps = Pick<RenewalDeps, 'engine' | 'certificates'>;
