/** Docker Compose, asked on the texts of a project's files. It never touches an engine. */
export interface Compose {
  /**
   * The hash of a service as `docker compose up` would write it into the label `com.docker.compose.config-hash`, 64 hex digits.
   * Rejects with `compose_failed`: there is no Compose here, or it does not take these files. The message holds nothing of the files,
   * since they may hold secrets.
   */
  configHash(question: HashQuestion): Promise<string>;
}

/** Which service of which project is asked about, and how. */
export interface HashQuestion {
  /** Name of the project, as Compose labels it. */
  project: string;
  service: string;
  /** Absolute; what relative paths begin from. */
  folder: string;
  /** Texts, in Compose's order: a later one wins. */
  composeFiles: readonly string[];
  envFiles: readonly string[];
  way: HashVariant;
}

/** What `docker compose up` takes into the hash depends on how it was called, and on its version. */
export interface HashVariant {
  /** As with `--profile '*'`: services of profiles that the files alone do not enable are there. */
  allProfiles: boolean;
  /** What `env_file` names is read into the environment: `config --hash` of Compose 2.26 leaves it out, `up` does not. */
  readsEnvFile: boolean;
  /** `network_mode: service:NAME` as `up` resolves it. `implied`: that the service depends on NAME is not written in the files. */
  joins: { service: string; containerId: string; implied: boolean } | null;
}

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
