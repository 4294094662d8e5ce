/** What the operator must know of an update before it runs: `update.ask-on` names them, and pages mark them. */
export const NOTE_FLAGS = ['breaking', 'migration', 'security'] as const;
export type NoteFlag = (typeof NOTE_FLAGS)[number];

/** One release as its project published it. Text and names are written by strangers; they are clean (lib/printable), not trusted. */
export interface Release {
  /** As the project writes it: `v1.25.0`. */
  tag: string;
  /** Its title; empty: it has none. */
  name: string;
  /** http(s); null: it has no page of its own. */
  url: string | null;
  /** Markdown. */
  text: string;
  prerelease: boolean;
}

/** Release notes of an update as the outside sees them. */
export interface NotesSummary {
  /** Where a person reads them. */
  url: string;
  /** The releases between the two versions, newest first, as their project names them; empty: none was read. */
  versions: string[];
  flags: NoteFlag[];
  /** Why not everything was read, as a sentence; null: everything was. */
  problem: string | null;
}

/** With the words that were flagged. */
export interface ReadNotes extends NotesSummary {
  /** Each flag with where it was found. */
  found: FlaggedWords[];
  releases: Release[];
}

/** What a decision must know of them. */
export type NotesWord = Pick<ReadNotes, 'found' | 'problem'>;

export interface FlaggedWords {
  flag: NoteFlag;
  /** The heading or sentence, one line, cut. */
  words: string;
  /** Of which release. */
  tag: string;
}

/** In a sentence: `mention breaking changes`. */
export const FLAG_WORDS: Record<NoteFlag, string> = {
  breaking: 'breaking changes',
  migration: 'a migration',
  security: 'security fixes',
};
