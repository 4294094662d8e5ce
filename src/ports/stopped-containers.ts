import type { RestartPolicy } from '../domain/engine-inspect';

/** Containers that must not run, and whose restart policy is `no` for as long. */
export interface Disarmed {
  /** Before the policy is changed on the engine; replaces an earlier entry of the same container. */
  add(entry: Omit<DisarmedContainer, 'at'>): void;
  find(containerId: string): DisarmedContainer | null;
  /** Oldest first. */
  all(): DisarmedContainer[];
  /** Its own policy is back, or it is gone. */
  remove(containerId: string): void;
}

export interface DisarmedContainer {
  containerId: string;
  /** Its name when it was disarmed. */
  name: string;
  /** Its own policy, to be put back exactly. */
  policy: RestartPolicy;
  /** ISO 8601. */
  at: string;
}

/** Containers that still exist after the end of the update that replaced them: stopped, with restart policy `no`. */
export interface KeptContainers {
  /** Replaces an earlier entry of the same container. */
  add(kept: KeptContainer): void;
  find(containerId: string): KeptContainer | null;
  /** The one removed first comes first. */
  all(): KeptContainer[];
  /** Those whose time has come at `now` (ISO 8601). */
  due(now: string): KeptContainer[];
  /** Every leftover is due from `now` on: called at the start of the worker. */
  retryLeftovers(now: string): void;
  remove(containerId: string): void;
}

export interface KeptContainer {
  containerId: string;
  /** Name of the container that it was, or was to replace. */
  container: string;
  /** The name that it has now, as `docker ps` shows it. */
  name: string;
  updateId: string;
  /** Why it still exists, as a sentence. */
  reason: string;
  /** Its removal failed, or its update could not tell which one to remove: an error. False: kept on purpose. */
  leftover: boolean;
  /** When it is removed, or its removal is tried again. ISO 8601. */
  keepUntil: string;
  /** It was started externally, and is being stopped again: id of its replacement, to be started after that. Left out: none waits for it. */
  blocks?: string;
}

/** Data directories of an earlier PostgreSQL major, retained in their volume after the update that moved the data. */
export interface KeptData {
  /** Replaces an earlier entry of the same update. */
  add(kept: KeptDataDirectory): void;
  /** The one removed first comes first. */
  all(): KeptDataDirectory[];
  /** Those whose time has come at `now` (ISO 8601). */
  due(now: string): KeptDataDirectory[];
  remove(updateId: string): void;
}

export interface KeptDataDirectory {
  updateId: string;
  /** Name of the container whose volume it is in. */
  container: string;
  /** As text: `the data directory of PostgreSQL 15`. */
  what: string;
  /** PGDATA of the container. */
  directory: string;
  /** Its name inside of that. */
  folder: string;
  /** When it is removed. ISO 8601. */
  keepUntil: string;
}
