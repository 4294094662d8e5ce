import type { ChannelNotice, ChannelTarget } from '../domain/channel-notice';

/** One service that people read, in addition to mail. */
export interface Channel extends ChannelTarget {
  /**
   * Delivers one notice. `id` is the same when the same notice is sent again; `at` (ISO 8601): when it was written.
   * Rejects with `MailError`: `permanent` when trying again cannot help (the address, the token or the message is
   * refused); `retryAfterMs` when the service says when to come back.
   */
  send(notice: { id: string; at: string } & ChannelNotice): Promise<void>;
}
