import type { NotesSource } from '../domain/notes/source';
import type { Release } from '../domain/notes/release-notes';

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
