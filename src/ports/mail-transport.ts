/** One mail, rendered. */
export interface Mail {
  /** Deterministic: the same mail sent again has the same Message-ID. */
  id: string;
  from: string;
  to: string[];
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
  send(mail: Mail): Promise<void>;
  /** Asks whether mail could be sent, without sending one, as far as the transport can tell. */
  check(): Promise<void>;
}
