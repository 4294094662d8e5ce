import type { Clock } from '../../lib/clock';
import type { Audit } from '../../ports/audit';

const HOUR_MS = 3_600_000;
const MOST_ADDRESSES = 20;

/** Failed logins on their way into the audit trail: one record for an hour of them, whatever their number. */
export interface LoginCount {
  note(address: string): void;
  /** Records what was counted so far. */
  flush(): void;
}

export function createLoginCount({ audit, clock }: { audit: Pick<Audit, 'append'>; clock: Clock }): LoginCount {
  let since: Date | null = null;
  let count = 0;
  let addresses = new Set<string>();
  const flush = (): void => {
    if (since === null) return;
    const detail = { count, since: since.toISOString(), addresses: [...addresses] };
    audit.append({ kind: 'failed_logins', actor: 'unknown', subject: null, detail });
    since = null;
    count = 0;
    addresses = new Set();
  };
  return {
    flush,
    note: (address) => {
      const now = clock.now();
      if (since !== null && now.getTime() - since.getTime() >= HOUR_MS) flush();
      since ??= now;
      count++;
      if (addresses.size < MOST_ADDRESSES) addresses.add(address);
    },
  };
}
