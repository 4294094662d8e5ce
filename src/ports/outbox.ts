import type { ChannelNotice, ChannelTarget } from '../domain/channel-notice';

/** Mails to deliver, and those that were. */
export interface Outbox {
  /** In the same transaction as the state that the mail reports; returns its id, which is also used in the Message-ID. */
  add(mail: NewMail): string;
  /** The same, not to be delivered before `notBefore` (ISO 8601), so that a newer one can take its place until then. */
  hold(mail: NewMail, notBefore: string): string;
  /** Mails of these kinds about updates of one container since a time, newest first. */
  about(container: string, kinds: readonly string[], since: string): OutboxMail[];
  /** Takes back one that is held, and no other. */
  withdraw(id: string): void;
  /** To deliver now, oldest first. `digest`: what a digest may hold stays for the digest, unless it was tried before. */
  due(now: string, options?: { digest: boolean }): OutboxMail[];
  /** What the next digest reports, oldest first; also what is held, since it is the latest announcement. What has no mail of its own counts only when written after `since` (ISO 8601). */
  forDigest(since: string): OutboxMail[];
  /** A digest reported them; in the same transaction that adds the digest. */
  digested(ids: readonly string[]): void;
  sent(id: string): void;
  /** It failed for now; `error` as text. */
  deferred(id: string, error: string, nextAttemptAt: string): void;
  /** Permanent: it is kept and shown, and tried again when the service starts with other settings. */
  refused(id: string, error: string): void;
  /** Puts refused mails back to be tried; resolves with how many. Called at start. */
  retryRefused(): number;
  /** For `/health`: how many wait, since when, how many were refused, and what went wrong with the newest of those. */
  state(): { pending: number; oldestPendingAt: string | null; refused: number; lastError: string | null };
  recent(limit: number): OutboxMail[];
  /** Deletes what was written before that time (ISO 8601) and is delivered, by mail and by every channel; returns how many. */
  prune(before: string): number;
}

/** One mail, rendered. `notice`: the same for channels; null: it is for no channel. */
export type NewMail = Pick<OutboxMail, 'kind' | 'updateId' | 'subject' | 'html' | 'text'> & {
  notice?: ChannelNotice | null;
  /** False: it has no mail of its own; only the digest and channels report it. Default: it has one. */
  mailed?: boolean;
};

/** One mail, rendered, with how far its delivery has come. */
export interface OutboxMail {
  id: string;
  /** Which mail it is, such as `update_failed`. */
  kind: string;
  updateId: string | null;
  createdAt: string;
  subject: string;
  html: string;
  text: string;
  status: 'pending' | 'sent' | 'refused';
  attempts: number;
  nextAttemptAt: string | null;
  sentAt: string | null;
  lastError: string | null;
}

/** The channels in use. `Outbox.add` writes a delivery for each channel that asks for the topic, in the same transaction. */
export interface Channels {
  /**
   * From now on exactly these channels are notified. Pending deliveries for other channels are dropped; returns how many.
   */
  use(channels: readonly ChannelTarget[]): number;
  /** `channel`: its id. */
  of(channel: string): NoticeDeliveries;
}

/** The notices for one channel: like the outbox, for notices. */
export interface NoticeDeliveries extends Pick<Outbox, 'sent' | 'deferred' | 'refused' | 'retryRefused' | 'state'> {
  /** To deliver now, oldest first. */
  due(now: string): NoticeToSend[];
}

/** One notice on its way to one channel. `id`: that of its mail. */
export interface NoticeToSend extends Pick<OutboxMail, 'id' | 'kind' | 'updateId' | 'createdAt' | 'attempts'> {
  notice: ChannelNotice;
}
