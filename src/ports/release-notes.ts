import type { Release } from '../domain/notes/release-notes';
import type { NotesSource } from '../domain/notes/source';

/** Releases that were read, newest first as their project lists them. */
export interface ReadReleases {
  releases: Release[];
  /** Why older ones were not read, as a sentence; null: all were, or enough. */
  problem: string | null;
}

/** How reading went since the start of the process. `failed`: nothing was read, or not all that was needed. */
export interface NotesFetches {
  ok: number;
  failed: number;
}

/** The releases of a project, asked of its forge. Hosts, size, time and redirects are limited; answers are kept (`NotesCache`). */
export interface ReleaseNotesReader {
  /** Why it may not be read, as a sentence; null: it may be. Asks nothing. */
  whyNotAllowed(source: NotesSource): string | null;
  /**
   * Reads page after page until `isEnough` of what was read so far. Rejects with an `Error` whose message is a sentence with what to
   * do; it holds no token.
   */
  read(
    source: NotesSource,
    isEnough: (releases: readonly Release[]) => boolean,
    signal: AbortSignal,
  ): Promise<ReadReleases>;
  /** For metrics. */
  fetches(): NotesFetches;
}

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
