import type { UpdateWindow } from '../decision/update-window';
import type { Jump } from '../images/version-jump';
import type { NoteFlag } from '../notes/release-notes';
import type { VerifyRule } from '../signatures/signature';

/** `update.policy` (docs/labels.md). */
export type Policy = 'automatic' | 'manual' | 'ignore';
/** `update.strategy` (docs/labels.md). `handover`: the new container starts next to the old one, which then drains. */
export type Strategy = 'recreate' | 'handover';

/** How health is asked on top of Docker's own state. `docker`: HEALTHCHECK if there is one, else runs-and-stays. */
export type ProbeSpec =
  | { kind: 'docker' }
  | { kind: 'nginx' }
  | { kind: 'postgres' }
  | { kind: 'gitea' }
  | { kind: 'http'; port: number; path: string }
  | { kind: 'tcp'; port: number }
  | { kind: 'exec'; command: string[] };

/** `backup.kind`; paths are absolute, inside the container. */
export type BackupSpec = { kind: 'postgres' } | { kind: 'files'; paths: string[] };

/**
 * `backup.quiesce`. `never`: the container is not stopped for a backup and does not count as a writer. `allowed` says of a
 * Swarm service that it may be scaled to 0 for it; of a container it means the same as `auto`.
 */
export type Quiesce = 'auto' | 'never' | 'allowed';

/** `update.rehearse`. `auto`: before an approval request for a container that holds data; `always`: before every update. */
export type Rehearse = 'auto' | 'always' | 'off';

/** The operator's labels (docs/labels.md), read once, with every default filled in. */
export interface ContainerLabels {
  watched: boolean;
  policy: Policy;
  allow: Jump;
  strategy: Strategy;
  probe: ProbeSpec;
  probeTimeoutMs: number;
  /** The operator set it; else a longer HEALTHCHECK makes it longer. */
  probeTimeoutIsSet: boolean;
  allowDatabase: boolean;
  backup: BackupSpec | null;
  quiesce: Quiesce;
  rehearse: Rehearse;
  /** `update.window`; null: it may start at any time; left out: the default of the settings counts. */
  window?: UpdateWindow | null;
  /** `update.min-age`; left out: the default of the settings counts. */
  minAgeMs?: number;
  /** `update.soak`; left out: none. */
  soakMs?: number;
  /** `update.keep-images`; left out: the default of the settings counts. */
  keepImages?: number;
  /** `update.notes`: an address that can be read as a source; null: it cannot; left out: the image's label counts. */
  notes?: string | null;
  /** `update.ask-on`; left out: none. */
  askOn?: readonly NoteFlag[];
  /** `update.verify`; left out: the default of the settings counts. */
  verify?: VerifyRule;
  renewalRole: 'certbot' | 'server' | null;
  /** `diun.watch_repo`; undefined: the label is not there, Diun's own default decides. */
  watchRepo: boolean | undefined;
  /** `diun.include_tags`, `diun.exclude_tags`: regular expressions, separated by `;` as Diun does. */
  includeTags: string[];
  excludeTags: string[];
  /** Invalid values, as text: for the log, `check` and the page. */
  problems: LabelProblem[];
}

/** A label with a value that it cannot have, and what is made of it. */
export interface LabelProblem {
  label: string;
  value: string;
  message: string;
}
