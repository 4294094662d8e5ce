import { MailError } from '../../domain/errors';

export interface SmtpServer {
  host: string;
  port: number;
  /** TLS from the first byte (`smtps:`); else STARTTLS. */
  secure: boolean;
  user: string | null;
  password: string | null;
  /** No mail without TLS: a password never travels readable, but for a server on this very machine. */
  requireTls: boolean;
}

/** `smtp://user:pass@host:587` or `smtps://user:pass@host:465`; user and password percent-encoded where needed. */
export function parseSmtpUrl(address: string): SmtpServer {
  if (!URL.canParse(address)) throw unreadable();
  const url = new URL(address);
  if (!/^smtps?:$/.test(url.protocol) || url.hostname === '') throw unreadable();
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const user = url.username === '' ? null : decodeURIComponent(url.username);
  return {
    host,
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    user,
    password: user === null ? null : decodeURIComponent(url.password),
    requireTls: !secure && user !== null && !isThisMachine(host),
  };
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

function unreadable(): MailError {
  return new MailError(
    'invalid_settings',
    'PILOT_MAIL_URL is not an smtp://user:pass@host:port or smtps:// address.',
    true,
  );
}
