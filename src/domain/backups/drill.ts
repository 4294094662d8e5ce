/**
 * What a restore drill of a backup came to. `passed`: every database was restored into a server of its own, every file
 * read to its end. `failed`: it was not, so it cannot be relied on. `skipped`: it could not be tried, which says nothing of it.
 */
export interface DrillVerdict {
  status: 'passed' | 'failed' | 'skipped';
  /** When it ended; ISO 8601. */
  at: string;
  /** What was restored and counted, or why it did not pass. */
  words: string;
}

/** A drill that cannot be tried, with the reason. */
export class NotTried extends Error {}
