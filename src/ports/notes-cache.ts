import type { Release } from '../domain/notes/release-notes';

/** An answer about releases, kept so that the next question is short. */
export interface KeptAnswer {
  /** Null: the answer had none, and is requested as a whole when it is no longer fresh. */
  etag: string | null;
  /** What was read of it, as JSON. */
  content: string;
  /** ISO 8601: when it was last known to be right. */
  at: string;
}

/** Answers by address, limited in number and size: the oldest go first. */
export interface NotesCache {
  get(address: string): KeptAnswer | null;
  put(address: string, answer: KeptAnswer): void;
}

/** The texts of the release notes of updates: those of the newest ones. */
export interface NotesTexts {
  /** In the transaction of the offer. */
  save(updateId: string, releases: readonly Release[]): void;
  /** Newest first; empty: none are kept. */
  of(updateId: string): Release[];
}
