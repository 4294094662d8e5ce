import { rootCertificates } from 'node:tls';
import { createTransport, type SendMailOptions, type SMTPTransportOptions } from 'nodemailer';
import { MailError } from '../../domain/errors';
import type { Logger } from '../../lib/logger';
import type { Secret } from '../../lib/secret';
import type { Mail, MailTransport } from '../../ports/mail-transport';
import { messageId } from '../../lib/id';

export interface SmtpOptions {
  /** `PILOT_MAIL_URL`: it may hold a password. */
  url: Secret;
  logger: Logger;
  /** Silence after which the server counts as gone. */
  timeoutMs?: number;
  /** Certificate authority of the server (PEM), in addition to those that Node trusts. */
  ca?: string;
}

/** One connection for each mail. TLS certificates are checked; STARTTLS is used wherever the server offers it. */
export function createSmtpTransport(options: SmtpOptions): MailTransport {
  return new SmtpTransport(options);
}

class SmtpTransport implements MailTransport {
  readonly #transporter: ReturnType<typeof connect>;
  /** By the mail's id: who has it, of one that is to be tried again for the others. */
  readonly #reached = new Map<string, string[]>();
  readonly #logger: Logger;

  constructor(options: SmtpOptions) {
    this.#transporter = connect(options);
    this.#logger = options.logger;
  }

  /** A server may take a mail for some recipients only: a later try leaves those out. */
  async send(mail: Mail): Promise<void> {
    const before = this.#reached.get(mail.id) ?? [];
    const rest = mail.to.filter((recipient) => !before.includes(recipient));
    const { taken, refusals } = await this.#tryToSend(mail, rest);
    const reached = [...before, ...taken];
    const later = refusals.find((refusal) => !refusal.permanent);
    if (later !== undefined) {
      this.#reached.set(mail.id, reached);
      throw later;
    }
    this.#reached.delete(mail.id);
    const [refusal] = refusals;
    if (refusal === undefined) return;
    if (reached.length === 0) throw refusal;
    const recipients = rest.filter((recipient) => !taken.includes(recipient));
    const fields = { mail: mail.id, recipients, error: refusal.message };
    this.#logger.error('mail refused for some of its recipients', fields);
  }

  async check(): Promise<void> {
    await this.#transporter.verify().catch((error: unknown) => Promise.reject(toMailError(error)));
  }

  async #tryToSend(mail: Mail, rest: string[]): Promise<Attempt> {
    try {
      const info = await this.#transporter.sendMail(message(mail, rest));
      const taken = rest.filter((recipient) => !info.rejected.some((address) => isSameAddress(recipient, address)));
      return { taken, refusals: (info.rejectedErrors ?? []).map(toMailError) };
    } catch (error) {
      return { taken: [], refusals: [toMailError(error)] };
    }
  }
}

interface Attempt {
  taken: string[];
  refusals: MailError[];
}

function connect(options: SmtpOptions) {
  return createTransport(connectionTo(options));
}

function connectionTo({ url, timeoutMs = 15_000, ca }: SmtpOptions): SMTPTransportOptions {
  const server = parseSmtpUrl(url.reveal());
  return {
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.requireTls,
    ...(server.user === null ? {} : { auth: { user: server.user, pass: server.password ?? '' } }),
    ...(ca === undefined ? {} : { tls: { ca: [...rootCertificates, ca] } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function message(mail: Mail, recipients: string[]): SendMailOptions {
  const { from, to, subject, html, text, date } = mail;
  return {
    ...{ from, to, subject, html, text },
    envelope: { from: bare(from), to: recipients.map(bare) },
    date: new Date(date),
    messageId: messageId(mail),
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

/** `Web <web@example.org>` → `web@example.org`. */
function bare(address: string): string {
  return (/<([^<>]+)>\s*$/.exec(address)?.[1] ?? address).trim();
}

function isSameAddress(one: string, other: string): boolean {
  return bare(one).toLowerCase() === bare(other).toLowerCase();
}

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
function parseSmtpUrl(address: string): SmtpServer {
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

interface SmtpFailure {
  code?: string;
  responseCode?: number;
  message: string;
}

/**
 * Permanent: the server answered 5xx to the sender, the recipients, the message (RFC 5321, 4.2.1) or the login: a wrong
 * password tried again and again locks accounts. Everything else is tried again: 4xx, no connection, TLS that fails
 * (certificates get renewed), a server that hangs or hangs up, and a 5xx greeting (a blocklist, or the wrong port for now).
 */
function toMailError(error: unknown): MailError {
  const { code = 'unknown', responseCode = 0, message } = error as SmtpFailure;
  const answered = ['EENVELOPE', 'EMESSAGE', 'EAUTH'].includes(code);
  const permanent = (answered && responseCode >= 500) || code === 'ENOAUTH';
  return permanent
    ? new MailError('mail_refused', `${refusedAdvice(code)} (${message}).`, true, { cause: error })
    : new MailError('mail_unreachable', `${unreachableAdvice(code)} (${code}: ${message}).`, false, { cause: error });
}

function refusedAdvice(code: string): string {
  return code === 'EAUTH' || code === 'ENOAUTH'
    ? 'The mail server does not accept the login: check user and password in PILOT_MAIL_URL'
    : 'The mail server refuses the mail: check PILOT_MAIL_FROM and PILOT_MAIL_TO';
}

function unreachableAdvice(code: string): string {
  return code === 'ETLS'
    ? 'No trusted TLS connection to the mail server: its certificate must be valid for the host in PILOT_MAIL_URL'
    : 'The mail server cannot be reached or does not accept the mail now; it is retried automatically';
}
