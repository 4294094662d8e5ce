import type { ApprovalView, DecisionOutcome, ViewLink } from '../decisions/approval-links';
import type { RestoreDecision, RestoreView, SetTrust, SoakDecision, SoakView } from '../decisions/recovery-links';
import type { Answer } from '../decisions/approve';
import type { BackupRecord } from '../domain/backups/backup';
import type { ChannelTarget } from '../domain/channel-notice';
import type { Container } from '../domain/container';
import type { RenewalRecord } from '../domain/certificates/certificate';
import type { Rehearsal } from '../domain/rehearsal/rehearsal';
import type { Mode } from '../domain/mode';
import type { DecidedBy, Update } from '../domain/update';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { Secret } from '../lib/secret';
import type { NotesFetches } from '../ports/release-notes';
import type { Store } from '../ports/store';
import type { TimerView } from '../schedule/timers';
import type { Check } from '../diagnosis/problem';

/** What the HTTP side needs of the rest, given once by `app.ts`. */
export interface HttpDeps {
  version: string;
  /** All are accepted, so that a token can be rotated. */
  webhookTokens: Secret[];
  apiToken: Secret;
  mode: Mode;
  publicUrl: string;
  /** Addresses, networks and names of the proxies whose X-Forwarded-For and Remote-User count. */
  trustedProxies: readonly string[];
  store: Store;
  /** Those in use, in addition to mail. */
  channels: readonly ChannelTarget[];
  clock: Clock;
  logger: Logger;
  /** Stores an accepted or a rejected body; rejects with PilotError `invalid_body` or `invalid_request` (details: field, reason) after the raw body was kept. */
  receiveWebhook(rawBody: string): Promise<{ id: string; duplicate: boolean }>;
  /** `by`: left out, the API. */
  requestUpdate(request: { container: string; image?: string }, by?: DecidedBy): Promise<Update>;
  /** `by`: left out, who has the password. Throws `update_not_found` and `not_waiting`. */
  requestRehearsal(updateId: string, by?: 'link'): Rehearsal;
  requestBackups(request: { project?: string }): Promise<BackupRecord[]>;
  requestRenewal(): RenewalRecord;
  health: HealthSources;
  containers(): Promise<Container[]>;
  swarm(): Promise<{ services: Container[] }>;
  approvals: {
    /** Reads only. */
    read(token: string): ApprovalView;
    decide(token: string, answer: Answer): Promise<DecisionOutcome>;
    /** By id, for who has the page's password. Throws `update_not_found` `not_waiting` and `no_window`. */
    decideById(id: string, decision: 'approve' | 'decline' | 'window', by: DecidedBy): Promise<Update>;
  };
  /** The second link: restores the data from before a failed update. Null: the token is none of this purpose. */
  restoreLinks: {
    /** Reads only. */
    read(token: string): RestoreView | null;
    /** Whether the set can be trusted; read from the storage. */
    trust(view: RestoreView): Promise<SetTrust>;
    decide(
      token: string,
      answer: { decision: 'approve' | 'decline'; name: string | null; trust: SetTrust; seenManifest: string | null },
    ): RestoreDecision | null;
  };
  /** The link of a failure in the soak: the old version. Null: the token is none of this purpose. */
  soakLinks: {
    /** Reads only. */
    read(token: string): SoakView | null;
    decide(
      token: string,
      answer: { decision: 'approve' | 'decline'; data: string | null; name: string | null },
    ): SoakDecision | null;
  };
  /** The third link: shows one update and decides nothing. Null: the token is none of this purpose. */
  viewLinks: {
    /** Reads only. */
    read(token: string): ViewLink | null;
  };
  /** How reading release notes went, for metrics. */
  notesFetches(): NotesFetches;
  /** Next and last runs of the timers. */
  timers(): TimerView[];
  /** For the operator page's form tokens. */
  formSecret: Secret;
}

/** The sources of `/health` besides the store. Reasons are public: no path, no secret, no text of another server. */
export interface HealthSources {
  /** Any question that only a working engine answers, such as `engine.version()`. May hang: `/health` does not wait for it. */
  pingEngine(): Promise<unknown>;
  scheduler(): Check;
}
