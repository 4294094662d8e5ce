/** A file of a compose project, by its absolute path on the host, which is mounted at the same path where we may read it. */
export interface ProjectFile {
  /** The project's folder: nothing outside of it is ever written, also not through a link. */
  folder: string;
  /** Absolute, of the file itself. */
  path: string;
}

/**
 * The files that an operator keeps for Docker Compose. Rejects with `project_file_refused`, whose message says in one sentence for the
 * operator the reason and the remedy.
 */
export interface ProjectFiles {
  /** The whole text, byte order mark included; null: there is no such file here, so it is not mounted. At most 256 KiB of UTF-8. */
  read(file: ProjectFile): Promise<string | null>;
  /** Rejects as `replace` would, as far as that can be known without writing. */
  mayReplace(file: ProjectFile): Promise<void>;
  /**
   * Puts `after` in place of a file that holds exactly `before`: all of it or nothing, also after a crash, and on the disk
   * when it resolves. Mode and owner are kept.
   */
  replace(file: ProjectFile, before: string, after: string): Promise<void>;
}
