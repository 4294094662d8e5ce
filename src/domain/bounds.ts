const KIB = 1024;
const MIB = 1024 * KIB;
const MINUTE = 60_000;

/**
 * The bounds in size and time of every answer that is read from outside this process and kept in memory: one table, so that
 * none is forgotten. Null: a caller or a table next to it limits the time. What only passes through (dumps, and archives on
 * their way to the storage) has no size here.
 */
export const BOUNDS = {
  /** One page of a registry's tags; a thousand tags are some ten kilobytes. Its time is that of the whole listing. */
  registryPage: { bytes: 2 * MIB, ms: MINUTE },
  /** Configuration of an image, for its labels. Its time is that of all questions about one digest. */
  imageConfig: { bytes: 4 * MIB, ms: MINUTE / 4 },
  /** Manifest or index of an image; registries accept 4 MiB. Its time is that of all questions about one digest. */
  registryManifest: { bytes: 4 * MIB, ms: MINUTE / 4 },
  /** A signature or its payload. Its time is that of all questions about the signatures of one digest. */
  signature: { bytes: MIB, ms: MINUTE / 3 },
  /** Answer of the token service of a registry. */
  registryToken: { bytes: 64 * KIB, ms: MINUTE / 2 },
  /** Answer of a program `docker-credential-NAME`. */
  credentialHelper: { bytes: 64 * KIB, ms: MINUTE / 2 },
  /** Answer of the engine: inspect results and lists. */
  engineAnswer: { bytes: 64 * MIB, ms: MINUTE },
  /** One line of a stream of the engine: of a pull, of events. */
  engineLine: { bytes: MIB, ms: null },
  /** What is kept of the end of a container's log. */
  containerLog: { bytes: MIB, ms: MINUTE },
  /** What is kept of each output of a command in a container, and how long a probe's command may take. */
  commandOutput: { bytes: 64 * KIB, ms: MINUTE / 4 },
  /** What a channel or the heartbeat's service answers. */
  channelAnswer: { bytes: 64 * KIB, ms: MINUTE / 4 },
  /** One page of a project's releases, or a changelog. The time of all questions about an update is `NOTES_READING.ms`. */
  releaseNotes: { bytes: 2 * MIB, ms: MINUTE / 6 },
  /** What a health probe reads of an answer over HTTP. */
  probeAnswer: { bytes: 16 * KIB, ms: 5_000 },
  /** What `nginx -T` prints. */
  nginxConfiguration: { bytes: 4 * MIB, ms: MINUTE },
  /** A certificate, or the folder of certbot's certificates, in a container. */
  certificateFile: { bytes: MIB, ms: MINUTE },
  /** TLS handshake; OpenSSL itself accepts chains up to this size. */
  servedCertificate: { bytes: 100 * KIB, ms: 5_000 },
  /** Manifest of a backup set. */
  backupManifest: { bytes: 8 * MIB, ms: MINUTE },
  /** Roles and tablespaces of a database server, as pg_dumpall writes them. */
  databaseGlobals: { bytes: 64 * MIB, ms: 10 * MINUTE },
  /** What psql answers about databases and their properties. */
  databaseCatalog: { bytes: 16 * MIB, ms: MINUTE },
  /** The catalog of a database, and how many rows each of its tables has: large ones are read to their end. */
  databaseContents: { bytes: 64 * MIB, ms: 120 * MINUTE },
  /** PG_VERSION in a data directory. */
  versionFile: { bytes: 64 * KIB, ms: MINUTE },
  /** A few bytes that diun-pilot wrote itself, read back by `check`. */
  storageCheck: { bytes: 64 * KIB, ms: MINUTE },
  /** A call that a client sends to the socket proxy, and what the engine says when it refuses one. */
  proxiedCall: { bytes: MIB, ms: MINUTE },
  /** What restic prints, such as the list of snapshots, 400 bytes each; the storage ends the program. */
  resticOutput: { bytes: 32 * MIB, ms: null },
  /** What Docker Compose prints about a project. */
  composeOutput: { bytes: 4 * MIB, ms: null },
  /** A config or secret that Compose wrote into a container's layer; Compose's own limit is 1 MiB. */
  layerFile: { bytes: 4 * MIB, ms: MINUTE },
  /** A compose file or `.env` of a project. */
  projectFile: { bytes: 256 * KIB, ms: null },
} as const satisfies Record<string, { bytes: number; ms: number | null }>;

/** Over all pages of the tags of one repository. */
export const TAG_LISTING = {
  ms: MINUTE,
  pages: 200,
  bytes: 16 * MIB,
  tags: 100_000,
  /** Of those, the tags that can be compared with the container's own. */
  comparable: 10_000,
} as const;

/** Signatures of one digest that are read: more is refused, since one of them might be the right one. */
export const MOST_SIGNATURES = 64;

/** Of the release notes of one update, or of one pass over several. */
export const NOTES_READING = {
  /** Before a decision that is announced. */
  ms: MINUTE / 3,
  /** Before one that an operator requested and waits for. */
  requestedMs: 5_000,
  pages: 10,
  /** Versions of a changelog. */
  sections: 500,
  /** Kept and shown of one update, in characters. */
  shown: 200_000,
  /** Releases of one update. */
  releases: 100,
} as const;

/** The grammar of the distribution specification. */
export const LONGEST_TAG = 128;
