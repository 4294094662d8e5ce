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
