import { MailError } from '../../domain/errors';

/**
 * Refusals that the same mail would meet again, and what to do (facts, S3 and SES). `AccessDenied` has two names on the
 * wire. Everything else that SES or the network says is tried again: too many requests, throttling, 5xx, no answer.
 */
const PERMANENT: Record<string, string> = {
  MessageRejected: 'SES refuses the mail: verify PILOT_MAIL_FROM and PILOT_MAIL_TO in SES, or leave its sandbox',
  MailFromDomainNotVerifiedException: 'SES has not verified the domain of PILOT_MAIL_FROM: verify it',
  SendingPausedException: 'SES has paused sending for this account or configuration set: look at its console',
  AccountSuspendedException: 'SES has suspended sending for this account: look at its console',
  AccessDeniedException: 'AWS does not allow it: give these credentials ses:SendEmail for PILOT_MAIL_FROM',
  AccessDenied: 'AWS does not allow it: give these credentials ses:SendEmail for PILOT_MAIL_FROM',
  BadRequestException: 'SES cannot read the mail: check PILOT_MAIL_FROM and PILOT_MAIL_TO',
  NotFoundException: 'SES does not know the sender or configuration set',
  UnrecognizedClientException: 'AWS does not know these credentials: check AWS_ACCESS_KEY_ID and its secret',
  InvalidClientTokenId: 'AWS does not know these credentials: check AWS_ACCESS_KEY_ID and its secret',
  InvalidSignatureException: 'AWS does not accept the signature: check AWS_SECRET_ACCESS_KEY and the clock',
  SignatureDoesNotMatch: 'AWS does not accept the signature: check AWS_SECRET_ACCESS_KEY and the clock',
};

export function toMailError(error: unknown): MailError {
  const { name, message } = named(error);
  const advice = PERMANENT[name];
  if (advice !== undefined) {
    return new MailError('mail_refused', `${advice} (${name}: ${message}).`, true, { cause: error });
  }
  return new MailError('mail_unreachable', `${transientAdvice(name)} (${name}: ${message}).`, false, { cause: error });
}

export function isNotAllowed(error: unknown): boolean {
  return ['AccessDeniedException', 'AccessDenied'].includes(named(error).name);
}

function transientAdvice(name: string): string {
  if (name === 'CredentialsProviderError') return 'No AWS credentials were found: set the AWS_* variables or a role';
  if (/TooManyRequests|Throttl|LimitExceeded/.test(name)) return 'SES limits how much may be sent; it is tried again';
  return 'SES cannot be reached or does not answer; it is tried again';
}

/** The SDK wraps what the network said; a reader needs only that. */
function named(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const code = (error as NodeJS.ErrnoException).code ?? (error.cause as NodeJS.ErrnoException | undefined)?.code;
  const message = error.message.replace(/^AWS SDK error wrapper for Error: /, '');
  return { name: error.name === 'Error' ? (code ?? 'network') : error.name, message };
}
