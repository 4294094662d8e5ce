/** What the audit trail records. */
export type AuditKind = 'start' | 'decision' | 'update' | 'restore' | 'failed_logins' | 'recovery_kit';

/** One record. Each is chained to the one before: its hash covers its content and the hash of that one. */
export interface AuditEntry {
  /** 1, 2, 3 …: without a gap. */
  number: number;
  /** ISO 8601. */
  at: string;
  kind: AuditKind;
  /** Who did it: `link`, `api`, `cli:UID`, `page`, `page:NAME`, or `diun-pilot` itself. */
  actor: string;
  /** What it is about: the ID of an update or a restore, an address; null: the service. */
  subject: string | null;
  /** For people and programs; no secrets. */
  detail: Record<string, unknown>;
  /** SHA-256, hex; of the first record: of the empty text. */
  previous: string;
  /** SHA-256 over all of it, hex. */
  hash: string;
}

export type NewAuditEntry = Pick<AuditEntry, 'kind' | 'actor' | 'subject' | 'detail'>;

/** What a check of the chain found. `broken`: the first record that is not as it was written, or that is missing. */
export interface AuditVerdict {
  entries: number;
  /** Of the newest record: noted elsewhere, it shows later that nothing before it was replaced. */
  lastHash: string | null;
  broken: { number: number; reason: string } | null;
}

/** Append-only: decisions, updates, restores, starts and failed logins. */
export interface Audit {
  /** In the transaction of what it records. */
  append(entry: NewAuditEntry): void;
  /** Newest first. `cursor`: the `next` of the page before. */
  list(page: { limit: number; cursor?: number }): { entries: AuditEntry[]; next: number | null };
  /** The newest of this kind; null: there is none. Reads the whole trail when there is none. */
  latest(kind: AuditKind): AuditEntry | null;
  /** Reads every record and computes its hash again. `noted`: a hash of this trail that was kept elsewhere, which must still be there. */
  verify(noted?: string): AuditVerdict;
}
