import { GetAccountCommand, SendEmailCommand, SESv2Client, type SESv2ClientConfig } from '@aws-sdk/client-sesv2';
import { MailError } from '../../domain/errors';
import type { Mail, MailTransport } from '../../ports/mail-transport';
import { isNotAllowed, toMailError } from './ses-errors';

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
