import type { BackupRecord, DrillVerdict, PastBackup } from '../domain/backups/backup';
import type { OtherUpdate } from '../domain/data/changes-of-others';
import type { DataFingerprint } from '../domain/data/data-fingerprint';
import type { RestoreJournal, RestoreRecord } from '../domain/backups/restore';
import type { ImageEvent } from '../domain/event';
import type { Journal } from '../domain/journal';
import type { DecidedBy, PastUpdate, Step, StepName, Update, UpdateStatus } from '../domain/update';
import type { Plan } from '../domain/plan/plan';
import type { Rollout } from '../domain/services/rollout';
import type { Audit } from './audit';
import type { Channels, Outbox } from './outbox';
import type { Refusals } from './refusals';
import type { Rehearsals } from './rehearsals';
import type { NotesCache, NotesTexts } from './release-notes';
import type { Certificates, Renewals } from './certificates';
import type { Soaks } from './soaks';
import type { Disarmed, KeptContainers, KeptData } from './stopped-containers';
import type { Incidents, Notices, Timers } from './timers';

export type { NewMail, Outbox, OutboxMail } from './outbox';
export type { Refusal, Refusals } from './refusals';

/**
 * Everything that must survive a crash. Synchronous, so that a state and the mail that reports it are written in one
 * transaction without a gap. The data is on the disk when a method returns (WAL, `synchronous=FULL`).
 *
 * In all of it: ids are ULIDs, so that they sort by age; times are ISO 8601; "recent" lists are newest first; `get`, `find`
 * and the like answer null where there is none; `change` sets what is given and answers the record as it is then.
 */
export interface Store {
  /** All of `work` or nothing; a throw undoes it. Nested calls join the outer transaction. */
  transaction<T>(work: () => T): T;
  inbox: Inbox;
  updates: Updates;
  refusals: Refusals;
  outbox: Outbox;
  channels: Channels;
  audit: Audit;
  replacedImages: ReplacedImages;
  notesCache: NotesCache;
  notesTexts: NotesTexts;
  backups: Backups;
  restores: Restores;
  rehearsals: Rehearsals;
  timers: Timers;
  notices: Notices;
  renewals: Renewals;
  certificates: Certificates;
  incidents: Incidents;
  disarmed: Disarmed;
  keptContainers: KeptContainers;
  keptData: KeptData;
  soaks: Soaks;
  /** Ends the short waits that a clock which was ahead has set: of deliveries, events, updates, looks and retries. */
  clockWasAhead(): void;
  /** Reads and writes; throws when the database cannot do its work. */
  check(): void;
  /** Nothing may be asked of it afterwards. */
  close(): void;
}

/** Accepted webhooks, and the rejected ones that a person should see. */
export interface Inbox {
  /**
   * Stores a body with the event that was read from it. `duplicate` when the last event accepted for the same image and
   * platform had the same digest and status: Diun sends one per container (docs/research/diun.md). A duplicate is
   * stored as handled.
   */
  accept(webhook: { body: string; event: ImageEvent }): { id: string; duplicate: boolean };
  /** Keeps a body that could not be read, with the reason; answers its id. */
  reject(body: string, reason: string): string;
  /** Accepted, not handled and not waiting now, oldest first. */
  pending(limit: number): AcceptedWebhook[];
  /** It stays pending and is not looked at before `until` (ISO 8601), for the reason `why`. */
  wait(id: string, until: string, why: string): void;
  /** `outcome`: what was decided on it, as text. */
  handled(id: string, outcome: string): void;
  /** When Diun was last heard: the newest webhook of any kind. ISO 8601. */
  lastHeardAt(): string | null;
  /** Of any status. */
  recent(limit: number): Webhook[];
  /** Deletes what was handled or rejected before `before` (ISO 8601), but never the last word on an image. */
  prune(before: string): number;
}

/** One request of Diun, its body as it came. */
export interface Webhook {
  id: string;
  receivedAt: string;
  status: 'pending' | 'handled' | 'duplicate' | 'rejected';
  body: string;
  /** What came of it, or why it was rejected. */
  outcome: string | null;
}

/** A webhook with its event, which was read once, before it was stored. */
export interface AcceptedWebhook extends Webhook {
  event: ImageEvent;
}

/** Updates with their steps, plans and journals. */
export interface Updates {
  insert(update: NewUpdate): Update;
  get(id: string): Update | null;
  /** That whose id ends with these ten characters, in lower case; null: none. */
  withMark(mark: string): Update | null;
  /** Newest first. `cursor` is the `next` of the page before. */
  list(filter: UpdateFilter): { updates: Update[]; next: string | null };
  /** The newest of each container that has one, by its name: one query for a whole host. */
  latestOf(containers: readonly string[]): Map<string, Update>;
  /** The same for the one that ended last, of those that have replaced the container: `succeeded`, `rolled_back` or `rollback_failed`. */
  lastReplacedOf(containers: readonly string[]): Map<string, Update>;
  /** Waiting, queued or running for this container, oldest first. */
  openFor(container: string): Update[];
  /** The next to run, but none that is on hold now: automatic before manual, then oldest first. */
  nextQueued(): Update | null;
  /** Oldest first. */
  withStatus(status: UpdateStatus): Update[];
  /** Those that a backup was taken for, and those that use it (`backupId`), oldest first. */
  thatNeed(backup: Pick<BackupRecord, 'id' | 'updateId'>): Update[];
  change(id: string, fields: Partial<Omit<Update, 'id' | 'kind' | 'createdAt' | 'steps'>>): Update;
  /** Begins a step, or begins it again after a crash. */
  beginStep(id: string, name: StepName): void;
  /** Ends a step; one that was skipped before it began is written all the same. */
  endStep(id: string, name: StepName, status: Exclude<Step['status'], 'running'>, detail: string | null): void;
  /** Progress of the running step, as text; not more often than a person reads. */
  stepDetail(id: string, name: StepName, detail: string): void;
  /**
   * Decides on an update that waits for approval and whose time has not run out at `now`: one conditional write, so that
   * of many decisions exactly one counts. Null: it is not pending.
   */
  decide(id: string, decision: RecordedDecision): Update | null;
  /** When the digest was first seen (ISO 8601); `now` if it never was, which is then remembered, in the decision's transaction. */
  firstSeen(repository: string, digest: string, now: string): string;
  /** The plan as it was offered. */
  plan(id: string): Plan | null;
  /** In the same transaction as the offer. */
  savePlan(id: string, plan: Plan): void;
  /** Waiting, not reminded of, and expiring before `before` (ISO 8601). */
  toRemindOf(before: string): Update[];
  /** It is not reminded of again; in the same transaction as the mail. */
  reminded(id: string): void;
  /** Null: its run has not started. */
  journal(id: string): Journal | null;
  /** Whole, before the act that it announces. */
  saveJournal(id: string, journal: Journal): void;
  /** What the journal is for a container, of a service. */
  rollout(id: string): Rollout | null;
  saveRollout(id: string, rollout: Rollout): void;
  /** The newest that ran to a verdict, of one container or of all, newest first. */
  past(filter: { container?: string; limit: number }): PastUpdate[];
  /**
   * Other updates that ended since this one started and are known to have changed databases of its set, as they are now; the one
   * that ended first comes first. `before`: the databases of this one.
   */
  othersThatChanged(update: Pick<Update, 'id' | 'startedAt'>, before: DataFingerprint): OtherUpdate[];
  /** How many ended in each status: for metrics. */
  countByStatus(): Record<string, number>;
}

/** A person's decision. `start`: what holds an approved update up; null: nothing. */
export interface RecordedDecision {
  status: 'queued' | 'declined';
  reason: string;
  by: DecidedBy;
  now: string;
  notBefore: string | null;
  inWindow: boolean;
  /** By a link: from where it was decided, and who else opened it since this process started; for the audit trail. */
  seen?: LinkUse | null;
}

/** Address and browser, as the request gave them. */
export interface LinkUse {
  address: string;
  userAgent: string;
  /** Others that opened the link before: it was forwarded, or one person has several devices. */
  alsoOpenedBy: { address: string; userAgent: string }[];
}

/** Without what the store gives: id and times. */
export type NewUpdate = Omit<
  Update,
  | 'id'
  | 'kind'
  | 'createdAt'
  | 'startedAt'
  | 'finishedAt'
  | 'steps'
  | 'backupId'
  | 'error'
  | 'hold'
  | 'notBefore'
  | 'inWindow'
> &
  Partial<Pick<Update, 'kind' | 'finishedAt' | 'error' | 'hold' | 'notBefore' | 'inWindow'>>;

/** What is left out does not narrow; `limit`: of one page. */
export interface UpdateFilter {
  status?: UpdateStatus;
  container?: string;
  limit: number;
  cursor?: string;
}

/** Requested backups and their results; whether each is kept, and was drilled. */
export interface Backups {
  /** Queued. */
  insert(record: Pick<BackupRecord, 'project' | 'container' | 'reason' | 'updateId'>): BackupRecord;
  get(id: string): BackupRecord | null;
  /** The one that was taken for an update; null: none (yet). */
  of(update: Pick<Update, 'backupId'>): BackupRecord | null;
  change(id: string, fields: Partial<Omit<BackupRecord, 'id' | 'createdAt' | 'pruned' | 'drill'>>): BackupRecord;
  /** The oldest request; without those of an update, which takes its own backup. */
  nextQueued(): BackupRecord | null;
  /** Under way, or interrupted if no worker runs. */
  running(): BackupRecord[];
  /** Newest first. */
  list(limit: number): BackupRecord[];
  /** The newest that ended, also those that retention has removed, newest first; without their items. */
  past(limit: number): PastBackup[];
  /**
   * The newest good one of a project, or of a container outside of any. Never a pruned one, nor one of a time that is still to come: a
   * clock was ahead, and it would be the newest until then.
   */
  lastSucceeded(place: Pick<BackupRecord, 'project' | 'container'>): BackupRecord | null;
  /** Succeeded and not pruned, newest first. */
  good(): BackupRecord[];
  /** It is no longer kept, with the reason as text. Its objects may still be there. */
  prune(id: string, because: string): void;
  /** Pruned, and not known to be gone from the storage; oldest first. */
  toRemove(): BackupRecord[];
  /** Nothing of it is left in the storage. */
  objectsGone(id: string): void;
  /** A restore drill of it is to be made. A repeated request is fine; the number of starts is reset. */
  askDrill(id: string): void;
  /** The next drill, oldest request first, also of a set that was pruned meanwhile; null: none. */
  nextDrill(): BackupRecord | null;
  /** Returns how often it was started since the request, this time included. */
  beginDrill(id: string): number;
  /** The request is done. */
  endDrill(id: string, verdict: DrillVerdict): BackupRecord;
  /** Of each project, or container outside of any, the record with the newest verdict that passed or failed. */
  lastDrills(): (BackupRecord & { drill: DrillVerdict })[];
}

/** Restores that an operator requested; one after a rollback belongs to its update. */
export interface Restores {
  /** Queued. */
  insert(
    record: Pick<RestoreRecord, 'backupId' | 'folder' | 'url' | 'target' | 'updateId'> & {
      trustedManifest?: string | null;
    },
  ): RestoreRecord;
  get(id: string): RestoreRecord | null;
  /** That whose id ends with these ten characters, in lower case; null: none. */
  withMark(mark: string): RestoreRecord | null;
  change(id: string, fields: Partial<Omit<RestoreRecord, 'id' | 'createdAt'>>): RestoreRecord;
  /** Under way (or interrupted, if no worker runs) before queued, then oldest first; null: none. */
  next(): RestoreRecord | null;
  /** All that are queued or under way, in that order. */
  open(): RestoreRecord[];
  /** Requested with the link of the update's mail, or not over when the update ended; newest first. */
  since(update: Pick<Update, 'id' | 'finishedAt'>): RestoreRecord[];
  /** Newest first. */
  list(limit: number): RestoreRecord[];
  /** Null: it was not started. */
  journal(id: string): RestoreJournal | null;
  saveJournal(id: string, journal: RestoreJournal): void;
}

/** An image that a successful update has replaced. */
export interface ReplacedImage {
  /** `sha256:…`, as the engine names it. */
  imageId: string;
  /** Such as `docker.io/library/nginx`. */
  repository: string;
  /** As its container named it, such as `gitea/gitea:1.24.5`; null: not known. */
  reference: string | null;
  /** ISO 8601. */
  replacedAt: string;
}

/** Images that only diun-pilot's own updates replaced: no other image is ever removed. */
export interface ReplacedImages {
  /** In the transaction of the verdict. Replaced again: the newest time counts. */
  add(image: ReplacedImage): void;
  repositories(): string[];
  /** Newest first. */
  of(repository: string): ReplacedImage[];
  /** It is no longer on the engine. */
  remove(imageId: string): void;
}
