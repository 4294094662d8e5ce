import { MailError } from '../../domain/errors';

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
export function toMailError(error: unknown): MailError {
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
    : 'The mail server cannot be reached or does not take the mail now; it is tried again';
}
