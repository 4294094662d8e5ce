import type { CertificateSeen, RenewalRecord } from '../domain/certificates/certificate';

/** Requested renewals and their results. `change` sets the given fields and returns the new record. */
export interface Renewals {
  /** Queued; must not start before `dueAt` (ISO 8601). */
  insert(record: Pick<RenewalRecord, 'reason' | 'dueAt'>): RenewalRecord;
  get(id: string): RenewalRecord | null;
  change(id: string, fields: Partial<Omit<RenewalRecord, 'id' | 'createdAt'>>): RenewalRecord;
  /** The one that waits, whether it is due or not: the earliest due. */
  queued(): RenewalRecord | null;
  /** Under way, or interrupted if no worker runs. */
  running(): RenewalRecord | null;
  /** Newest first. */
  list(limit: number): RenewalRecord[];
  /** The one that ended last. */
  lastFinished(): RenewalRecord | null;
}

/** What was seen at the last look, and which mails it led to. */
export interface Certificates {
  /** In the order in which they were found. */
  list(): CertificateSeen[];
  /** All of them: what is not in `seen` is gone. */
  replace(seen: CertificateSeen[]): void;
  /** The threshold (days before its end) of the last mail about this certificate. Null: there was none. */
  alarmedAt(fingerprint: string): number | null;
  /** In the same transaction as the mail. */
  alarmed(fingerprint: string, threshold: number): void;
}

/** Asks TLS servers for the certificate they present. */
export interface CertificateReader {
  /**
   * The certificate (DER, the server's own, no chain) that the server at `host:port` presents for `name` (SNI; an address
   * is not sent). It is read, not trusted, so any issuer is fine. With `proxyProtocol` a PROXY header precedes the handshake.
   * Rejects within seconds with `certificate_unreadable`.
   */
  served(at: AskedServer): Promise<Buffer>;
}

export interface AskedServer {
  host: string;
  port: number;
  name: string;
  proxyProtocol?: boolean;
}
