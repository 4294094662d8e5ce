import type { Application } from './application';
import type { ContainerInspect, ContainerState } from './engine-inspect';
import { repositoryOf, tryParseImageReference } from './images/image-reference';
import type { ContainerLabels } from './labels/container-labels';
import type { PlaceOfData } from './services/place-of-data';

/** A container as policy sees it: found by name outside, by id inside a run. */
export interface Container {
  id: string;
  /** Without the leading slash. */
  name: string;
  /** `Config.Image`: the reference it was created by, in the operator's spelling. */
  reference: string;
  imageId: string;
  /** What the image's own labels say of its origin, written by a stranger; left out: nothing. */
  origin?: ImageOrigin;
  /** RepoDigests of its image (`nginx@sha256:…`), in the engine's spelling; empty for an image built here. */
  repoDigests: string[];
  project: string | null;
  service: string | null;
  /** Created by `docker compose run`: a start would repeat its command, so it is not updated, backed up, stopped or started. */
  composeRun: boolean;
  /** Services that it depends on, by Compose's label; of a Swarm service, which names none: the databases of its stack. */
  dependsOn: string[];
  /** Those of them whose replacement restarts this container (`restart: true`). */
  restartsWith: string[];
  /** The compose files that it was made from, by Compose's labels, as a person would name them; null outside Compose. */
  composeFiles: string | null;
  /** What is mounted where, one clause each. */
  mounts: string[];
  /** Where it keeps data that outlives it: writable mounts, sorted. */
  dataPaths: string[];
  /** It or its image has a HEALTHCHECK. */
  healthcheck: boolean;
  /** By probe and backup label, `PG_MAJOR`, and the names of its image. */
  application: Application;
  /** Read from the container's own labels only. */
  labels: ContainerLabels;
  running: boolean;
  /** The engine's own word: `running`, `paused`, `exited`, … */
  status: ContainerState['Status'];
  /** Name of the Swarm service whose task it is; null: it is a plain container. */
  swarmService: string | null;
  /** Started with `--rm`: stopping it deletes it, so no rollback is possible. */
  autoRemove: boolean;
  /** Whether its image is that of a database server (by repository, `PG_MAJOR`, probe or backup label). */
  database: boolean;
  /** Whether nginx can be asked in it (by probe or `NGINX_VERSION`). */
  nginx: boolean;
  /** Whether it is the container this process runs in. */
  self: boolean;
  /** Whether this process reaches the engine through it: a socket proxy, say. */
  engineDoor: boolean;
  /** What of diun-pilot runs in it, this process or another; null: nothing. */
  pilot: Pilot | null;
  /** It is a Swarm service, which is decided on like a container; left out: it is a container. */
  swarm?: {
    /** Why no update of it can be made as it is, as sentences; null: it can. */
    refusal: string | null;
    /** How Swarm rolls an update out, and who is offline for it: as text. */
    rollout: string;
    downtime: string;
    /** The operator says by `backup.quiesce=never` that it does not write to the data of its set. */
    neverWrites: boolean;
    /** The file of its stack, by `update.stack-file`: a new tag is written there; left out: not known. */
    stackFile?: string;
    /** Where its data can be read; left out: it has none that is backed up. */
    data?: PlaceOfData;
  };
}

/** `org.opencontainers.image.source` and `.version` of an image; null: it has no such label. */
export interface ImageOrigin {
  source: string | null;
  version: string | null;
}

/** A container of diun-pilot's own image (Dockerfile). */
export interface Pilot {
  /** It is the service; else a command of a moment, or the proxy of the socket. */
  serves: boolean;
  /** Where on the host its data is stored; null: nowhere that survives the container. */
  data: string | null;
  mounts: { inside: string; onHost: string }[];
}

const TITLE = 'org.opencontainers.image.title';
const DATA_DIR = '/data';
/** `serve` is the default command. */
const PROGRAM = /(?:^|\/)(?:main\.js|diun-pilot)$/;

/** What of diun-pilot runs in a container, by its image's label. */
export function pilotIn({ Config, Mounts }: Pick<ContainerInspect, 'Config' | 'Mounts'>): Pilot | null {
  if (Config.Labels?.[TITLE] !== 'diun-pilot') return null;
  const command = [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])];
  const serves =
    command.some((word) => PROGRAM.test(word)) && [PROGRAM, /^serve$/].some((is) => is.test(command.at(-1) ?? ''));
  const mounts = Mounts.map(({ Destination, Source }) => ({ inside: Destination, onHost: Source }));
  return { serves, data: mounts.find(({ inside }) => inside === DATA_DIR)?.onHost ?? null, mounts };
}

/**
 * Names of the containers in which another diun-pilot runs on this engine: both would act on the same watched containers.
 * One with the same data is this one, called by a command from a container of its own.
 */
export function otherPilots(containers: readonly Container[]): string[] {
  const own = containers.find(({ self }) => self)?.pilot?.data ?? null;
  return containers
    .filter(({ self, running, pilot }) => !self && running && pilot?.serves === true)
    .filter(({ pilot }) => own === null || pilot?.data !== own)
    .map(({ name }) => name);
}

export const ONE_PILOT =
  'both see the same containers, and both would update, back up and renew them. Keep one for the whole engine and stop the other: one serves any number of compose projects.';

/** Whether the container's image is the one of this digest: a digest names content, wherever it was pulled from. */
export function runsDigest({ repoDigests }: Pick<Container, 'repoDigests'>, digest: string): boolean {
  return repoDigests.some((known) => known.endsWith(`@${digest}`));
}

/** Its image was built or loaded on this host: what a registry has for its tag is another image, and need not be newer. */
export function isBuiltHere({ repoDigests, swarm }: Pick<Container, 'repoDigests' | 'swarm'>): boolean {
  return repoDigests.length === 0 && swarm === undefined;
}

/** The digest that the container runs, by its own repository if the engine knows several; null: an image built here. */
export function runningDigest({ reference, repoDigests }: Pick<Container, 'reference' | 'repoDigests'>): string | null {
  const own = tryParseImageReference(reference);
  const known = repoDigests.map(tryParseImageReference).filter((parsed) => parsed !== null);
  const same = known.find((parsed) => own !== null && repositoryOf(parsed) === repositoryOf(own));
  return (same ?? known[0])?.digest ?? null;
}
