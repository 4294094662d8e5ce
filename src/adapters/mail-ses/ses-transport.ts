import { GetAccountCommand, SendEmailCommand, SESv2Client, type SESv2ClientConfig } from '@aws-sdk/client-sesv2';
import { MailError } from '../../domain/errors';
import type { Mail, MailTransport } from '../../ports/mail-transport';

const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 15_000;
/** One more than once, because the SDK corrects a wrong clock at the second; the outbox does the rest. */
const ATTEMPTS = 2;

export interface SesOptions {
  /** What the SDK's own variables would say (`AWS_REGION`, `AWS_ENDPOINT_URL_SESV2`, …) unless given. */
  client?: Pick<SESv2ClientConfig, 'region' | 'endpoint' | 'credentials'>;
  answerTimeoutMs?: number;
}

/** Amazon SES, API v2, `Content.Simple`. SES gives its own Message-ID; ours is in the header `X-Diun-Pilot-Mail`. */
export function createSesTransport({
  client = {},
  answerTimeoutMs = ANSWER_TIMEOUT_MS,
}: SesOptions = {}): MailTransport {
  const ses = new SESv2Client({
    ...client,
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: answerTimeoutMs,
      throwOnRequestTimeout: true,
    },
  });
  return {
    send: async (mail) => {
      await ses.send(sendCommand(mail)).catch((error: unknown) => Promise.reject(toMailError(error)));
    },
    check: () => mayWeSend(ses),
  };
}

function sendCommand(mail: Mail): SendEmailCommand {
  const utf8 = (data: string): { Data: string; Charset: string } => ({ Data: data, Charset: 'UTF-8' });
  return new SendEmailCommand({
    FromEmailAddress: mail.from,
    Destination: { ToAddresses: mail.to },
    Content: {
      Simple: {
        Subject: utf8(mail.subject),
        Body: { Html: utf8(mail.html), Text: utf8(mail.text) },
        Headers: [
          { Name: 'Auto-Submitted', Value: 'auto-generated' },
          { Name: 'X-Diun-Pilot-Mail', Value: mail.id },
        ],
      },
    },
  });
}

/** An account that may send but not read its own state (`ses:SendEmail` alone) is well enough. */
async function mayWeSend(ses: SESv2Client): Promise<void> {
  try {
    const account = await ses.send(new GetAccountCommand({}));
    if (account.SendingEnabled === false) throw paused();
  } catch (error) {
    if (isNotAllowed(error)) return;
    throw error instanceof MailError ? error : toMailError(error);
  }
}

function paused(): MailError {
  return new MailError('mail_refused', 'SES has paused sending for this account: look at its console.', true);
}

/**
 * Refusals that the same mail would meet again, and what to do (docs/research/s3-and-ses.md). `AccessDenied` has two
 * names on the wire. Everything else that SES or the network says is retried: too many requests, throttling, 5xx, no answer.
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

function isNotAllowed(error: unknown): boolean {
  return ['AccessDeniedException', 'AccessDenied'].includes(named(error).name);
}

function transientAdvice(name: string): string {
  if (name === 'CredentialsProviderError') return 'No AWS credentials were found: set the AWS_* variables or a role';
  if (/TooManyRequests|Throttl|LimitExceeded/.test(name))
    return 'SES limits how much may be sent; the mail is retried automatically';
  return 'SES cannot be reached or does not answer; the mail is retried automatically';
}

/** The SDK wraps what the network said; a reader needs only that. */
function named(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const code = (error as NodeJS.ErrnoException).code ?? (error.cause as NodeJS.ErrnoException | undefined)?.code;
  const message = error.message.replace(/^AWS SDK error wrapper for Error: /, '');
  return { name: error.name === 'Error' ? (code ?? 'network') : error.name, message };
}
