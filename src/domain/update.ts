import type { Failure } from './errors';
import type { Source } from './event';
import type { Policy } from './labels/container-labels';
import type { NotesSummary } from './notes/release-notes';
import type { Signature } from './signatures/signature';

/** One update: one container, one target digest, from the decision to its end. Times are ISO 8601 in UTC. */
export interface Update {
  id: string;
  kind: UpdateKind;
  /** Name without the leading slash; null only for an ignored event that concerned no container. */
  container: string | null;
  project: string | null;
  service: string | null;
  policy: Policy | null;
  status: UpdateStatus;
  /** The decision, and later the verdict, as text for a person. */
  reason: string;
  source: Source;
  from: ImageAt | null;
  to: ImageAt;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  approval: Approval | null;
  backupId: string | null;
  steps: Step[];
  error: Failure | null;
  /** What the operator must still do after it, such as the line to change in the compose file; null: nothing. */
  followUp: string | null;
  /** It is queued and must wait for the registry, and its `reason` says so; null: it may start. */
  hold: Hold | null;
  /** It is queued and does not start before; null: nothing but its turn holds it up. */
  notBefore: string | null;
  /** It may start only inside the update window that its container has by then, if any: no person started it at once. */
  inWindow: boolean;
  /** Release notes between the two versions; null or left out: no source of them is known. */
  notes?: NotesSummary | null;
  /** Whether `to.digest` is signed as `update.verify` requires, as last checked; null or left out: nothing is required. */
  signature?: Signature | null;
}

/** What is updated: then `container` is its name. */
export type UpdateKind = 'container' | 'service';

/** Why a queued update does not start yet. */
export interface Hold {
  since: string;
  /** When it is tried again. */
  until: string;
  /** The update's reason without the words on the wait. */
  reason: string;
}

/** An image reference as the operator writes it, with the digest of its tag in the registry (`sha256:…`), null when unknown. */
export interface ImageAt {
  reference: string;
  digest: string | null;
}

/** Of an update that a person is asked about. */
export interface Approval {
  status: 'waiting' | 'approved' | 'declined' | 'expired' | 'superseded';
  expiresAt: string;
  decidedAt: string | null;
  /** Missing without a decision, or if a version decided that did not store it. */
  decidedBy?: DecidedBy | null;
  /** Of one that was approved and is asked about again: the `expiresAt` of before, of which the used link is made. */
  usedUntil?: string;
}

/** Who decided: by the link of the mail, the API, the command line of a user, or the operator page. */
export type DecidedBy = 'link' | 'api' | 'page' | `page:${string}` | `cli:${number}`;

/** Follows `Approved ` and `Declined `. */
export function wayOf(by: DecidedBy): string {
  if (by === 'link') return 'by the link of the mail';
  if (by === 'api') return 'by a request to the API';
  if (by.startsWith('cli:')) return 'on the command line';
  return by === 'page' ? 'on the operator page' : `on the operator page by ${by.slice('page:'.length)}`;
}

/** Three that are open, then the ends (docs/api.md). */
export const UPDATE_STATUSES = [
  'awaiting_approval',
  'queued',
  'running',
  'succeeded',
  'failed',
  'rolled_back',
  'rollback_failed',
  'declined',
  'expired',
  'superseded',
  'ignored',
] as const;
/** One of them. */
export type UpdateStatus = (typeof UPDATE_STATUSES)[number];

/** The ends that a run of the workflow can reach. */
export type Verdict = Extract<UpdateStatus, 'succeeded' | 'failed' | 'rolled_back' | 'rollback_failed'>;

/** No person requested or approved it: its success is not mailed, only its failure (docs/notifications.md). */
export function isUnattended({ policy, source, approval }: Pick<Update, 'policy' | 'source' | 'approval'>): boolean {
  return policy === 'automatic' && source !== 'operator' && approval === null;
}

const OPEN_STATUSES: readonly UpdateStatus[] = ['awaiting_approval', 'queued', 'running'];

/** It waits, is queued or runs: it has no end yet. */
export function isOpen(status: UpdateStatus): boolean {
  return OPEN_STATUSES.includes(status);
}

/** In the order of the workflow (docs/api.md). */
export const STEP_NAMES = [
  'backup',
  'pull',
  'preflight',
  'move_data',
  'recreate',
  'rollout',
  'load_data',
  'health_check',
  'cleanup',
  'rollback',
  'rollback_health_check',
  'restore',
  'restore_health_check',
] as const;
/** One of them. */
export type StepName = (typeof STEP_NAMES)[number];

/** The container itself was stopped for the backup of its update. */
export interface OwnStop {
  /** ISO 8601; null: an older version did not note it. */
  at: string | null;
}

/**
 * When its users may have started to miss it: for a container that was stopped for the backup, when it was; else when it
 * was replaced, for a new PostgreSQL major when its data was moved. Null: it was neither.
 */
export function awaySince(
  { steps }: { steps: Pick<Step, 'name' | 'status' | 'startedAt'>[] },
  ownStop: OwnStop | null,
): string | null {
  const wasHealthy = steps.some(({ name, status }) => name === 'health_check' && status === 'succeeded');
  const rollback = steps.find(({ name }) => name === 'rollback');
  // It was rolled back in its soak: until then it ran.
  if (wasHealthy && rollback !== undefined) return rollback.startedAt;
  const start = (step: StepName): string | null => steps.find(({ name }) => name === step)?.startedAt ?? null;
  if (ownStop !== null) return ownStop.at ?? start('backup');
  return start('move_data') ?? start('recreate');
}

/** The step in which a rollback restored the data; undefined: none did. */
export function restoreIn({ steps }: Pick<Update, 'steps'>): Step | undefined {
  return steps.find(({ name, status }) => name === 'restore' && status === 'succeeded');
}

/** One step with its last state: after a crash it is started again. `detail`: as text, progress while it runs. */
export interface Step {
  name: StepName;
  status: 'running' | 'succeeded' | 'failed' | 'skipped';
  startedAt: string;
  finishedAt: string | null;
  detail: string | null;
}

/** An update that ran, in brief: for pictures, and for what to expect of the next one. */
export interface PastUpdate {
  id: string;
  container: string;
  /** The image that it was to. */
  reference: string;
  status: Verdict;
  /** ISO 8601. */
  finishedAt: string;
  /** How long its users may have missed the container, in seconds; null: not known, or it was never replaced. */
  awaySeconds: number | null;
}

/** How a run went, as far as its time without service depends on it. */
export interface RunSeen {
  status: Verdict;
  steps: Pick<Step, 'name' | 'status' | 'startedAt' | 'finishedAt'>[];
  ownStop: OwnStop | null;
  /** The old container served until the new one was healthy, or throughout: a handover. */
  served: boolean;
}

const CHECK_OF: Partial<Record<Verdict, readonly Step['name'][]>> = {
  succeeded: ['health_check'],
  rolled_back: ['rollback_health_check', 'restore_health_check'],
};

/** From its stop until a container of its name was healthy again, in seconds: at most that long it was missed. */
export function awaySeconds({ status, steps, ownStop, served }: RunSeen): number | null {
  if (served) return 0;
  const since = awaySince({ steps }, ownStop);
  const checks = steps.filter((step) => CHECK_OF[status]?.includes(step.name) && step.status === 'succeeded');
  const until = checks.at(-1)?.finishedAt;
  return since && until ? Math.max(0, (Date.parse(until) - Date.parse(since)) / 1000) : null;
}
