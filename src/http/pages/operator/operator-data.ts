import type { BackupRecord } from '../../../domain/backup';
import type { CertificateSeen } from '../../../domain/certificate';
import type { Container } from '../../../domain/container';
import type { Plan } from '../../../domain/plan/plan';
import type { RenewalRecord } from '../../../domain/renewal';
import type { RestoreRecord } from '../../../domain/restore';
import type { Update, UpdateStatus } from '../../../domain/update';
import type { Incident } from '../../../ports/incidents';
import type { KeptContainer } from '../../../ports/stopped-containers';
import type { OutboxMail, Refusal, Webhook } from '../../../ports/store';
import type { Notice } from '../../../ports/timers';
import type { TimerView } from '../../../schedule/timer-plans';
import type { ChannelState, HealthReport } from '../../health/health-report';
import type { TokenFor } from './action-form';

/** Everything that the operator page shows, read at one time. */
export interface OperatorData {
  now: Date;
  publicUrl: string;
  health: HealthReport;
  /** What came of the button that was pressed; null: the page was just opened. */
  message: Outcome | null;
  /** Null: the engine does not answer. */
  containers: Seen[] | null;
  /** Names of containers in which another diun-pilot serves on this engine. */
  otherPilots: string[];
  waiting: { update: Update; plan: Plan | null }[];
  /** Running first, then queued. */
  working: Update[];
  history: { filter: HistoryFilter; updates: Update[]; next: string | null };
  backups: BackupRecord[];
  /** Those that somebody asked for, newest first; one after a rollback is a step of its update. */
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
  /** Containers that need a person, since they have lost the network they live in. */
  lost: Notice[];
  /** Containers that outlived their update: kept on purpose until a time, or left over. */
  kept: KeptContainer[];
  /** What was mended by itself, newest first. */
  incidents: Incident[];
  timers: TimerView[];
  tokenFor: TokenFor;
}

export interface Outcome {
  tone: 'good' | 'alarm';
  words: string;
}

/** A container that is watched, or has a label that nobody can obey, and the newest that was decided about it. */
export interface Seen {
  container: Container;
  latest: Update | null;
}

export interface HistoryFilter {
  status?: UpdateStatus;
  container?: string;
  cursor?: string;
}
