import type { Surroundings } from '../../../domain/approval';
import type { BackupRecord, PastBackup } from '../../../domain/backups/backup';
import type { CertificateSeen, RenewalRecord } from '../../../domain/certificates/certificate';
import type { Container } from '../../../domain/container';
import type { Suggestion } from '../../../domain/labels/suggest-labels';
import type { Mode } from '../../../domain/mode';
import type { PastUpdate, Update, UpdateStatus } from '../../../domain/update';
import type { Plan } from '../../../domain/plan/plan';
import type { RestoreRecord } from '../../../domain/backups/restore';
import type { Incident, Notice } from '../../../ports/timers';
import type { KeptContainer } from '../../../ports/stopped-containers';
import type { OutboxMail, Refusal, Webhook } from '../../../ports/store';
import type { TimerView } from '../../../schedule/timers';
import type { TokenFor } from './action-form';
import type { ChannelState } from '../../../diagnosis/problems';
import type { HealthReport } from '../../../diagnosis/health-report';

/** Everything that the operator page shows, read at one point in time. */
export interface OperatorData {
  now: Date;
  mode: Mode;
  publicUrl: string;
  health: HealthReport;
  /** The result of the button that was pressed; null when the page was just opened. */
  message: Outcome | null;
  /** Null: the engine does not answer. */
  containers: Seen[] | null;
  /** Labels to add to the others; empty also when the engine does not answer. */
  notWatched: Suggestion[];
  /** Names of containers in which another diun-pilot runs on this engine. */
  otherPilots: string[];
  /** Pending approvals; `plan` and `surroundings` as behind the link of the mail. */
  waiting: { update: Update; plan: Plan | null; surroundings: Surroundings }[];
  /** The newest that ran, and the newest backups that ended, in brief: for the pictures. */
  pastUpdates: PastUpdate[];
  pastBackups: PastBackup[];
  /** Running first, then queued. */
  working: Update[];
  history: { filter: HistoryFilter; updates: Update[]; next: string | null };
  backups: BackupRecord[];
  /** Restores that an operator requested, newest first; one after a rollback is a step of its update. */
  restores: RestoreRecord[];
  certificates: CertificateSeen[];
  renewals: RenewalRecord[];
  refusals: Refusal[];
  /** Waiting for a retry, or refused for good. */
  undelivered: OutboxMail[];
  /** In addition to mail. */
  channels: (ChannelState & { topics: readonly string[] })[];
  lastHeardAt: string | null;
  rejected: Webhook[];
  /** Containers that need the operator, because they have lost their network. */
  lost: Notice[];
  /** Containers that are kept after their update: on purpose until a given time, or left over. */
  kept: KeptContainer[];
  /** Containers that were re-attached automatically, newest first. */
  incidents: Incident[];
  timers: TimerView[];
  tokenFor: TokenFor;
}

export interface Outcome {
  tone: 'good' | 'alarm';
  words: string;
}

/** A container that is watched or has an invalid label. */
export interface Seen {
  container: Container;
  /** Its newest update, also one that was ignored. */
  latest: Update | null;
  /** The update that ended `rollback_failed`; null also once a later update or a restore of its data has succeeded, or a rollback. */
  brokenBy: Update | null;
}

export interface HistoryFilter {
  status?: UpdateStatus;
  container?: string;
  cursor?: string;
}
