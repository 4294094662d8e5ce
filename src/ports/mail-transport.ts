import type { ChannelNotice, ChannelTarget } from '../domain/channel-notice';

/** One mail, rendered. */
export interface Mail {
  /** Deterministic: the same mail sent again has the same Message-ID. */
  id: string;
  /** `name@example.org`, or `Name <name@example.org>`; so are the recipients. */
  from: string;
  to: string[];
  /** One line. */
  subject: string;
  html: string;
  text: string;
  /** ISO 8601. */
  date: string;
}

/**
 * Delivers one mail. Rejects with `MailError` (domain/errors): `permanent` true when trying again cannot help
 * (rejected sender, unverified domain, no permission), else the outbox tries again later.
 */
export interface MailTransport {
  /** Resolves when the server accepted it for at least one recipient; refused recipients are logged. */
  send(mail: Mail): Promise<void>;
  /** Asks whether mail could be sent, without sending one, as far as the transport can tell. */
  check(): Promise<void>;
}

/** One service that people read, in addition to mail. */
export interface Channel extends ChannelTarget {
  /**
   * Delivers one notice. `id` is the same when the same notice is sent again; `at` (ISO 8601): when it was written.
   * Rejects with `MailError`: `permanent` when trying again cannot help (the address, the token or the message is
   * refused); `retryAfterMs` when the service says when to come back.
   */
  send(notice: { id: string; at: string } & ChannelNotice): Promise<void>;
}
