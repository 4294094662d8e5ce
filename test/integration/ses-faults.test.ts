import { createSesTransport } from '../../src/adapters/mail-ses/ses-transport';
import type { MailTransport } from '../../src/ports/mail-transport';
import { aMail, failureOf } from '../support/mail-builder';
import { hangs, resets, startRawServer } from '../support/raw-server';
import { sesError, startFaultySes, type FaultySes } from '../support/ses-server';

/** Of what never answers: nothing here answers in time or not. */
const TOO_LATE_MS = 150;

function transportTo(endpoint: string, answerTimeoutMs = 60_000): MailTransport {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return createSesTransport({ client: { endpoint, region: 'eu-central-1', credentials }, answerTimeoutMs });
}

describe('SES that refuses', () => {
  let ses: FaultySes;
  afterEach(() => ses.stop());

  it.each([
    [400, 'MessageRejected', 'Email address is not verified.'],
    [400, 'MailFromDomainNotVerifiedException', 'not verified'],
    [400, 'SendingPausedException', 'paused'],
    [400, 'AccountSuspendedException', 'suspended'],
    [403, 'AccessDeniedException', 'not authorized to perform ses:SendEmail'],
    [400, 'BadRequestException', 'Illegal address'],
    [404, 'NotFoundException', 'no such configuration set'],
    [403, 'UnrecognizedClientException', 'The security token included in the request is invalid.'],
    [403, 'SignatureDoesNotMatch', 'does not match'],
  ])('%i %s is permanent, tried once, and said with its advice', async (status, type, message) => {
    ses = await startFaultySes(sesError(status, type, message));
    const error = await failureOf(transportTo(ses.endpoint).send(aMail()));
    expect(error).toMatchObject({ permanent: true, code: 'mail_refused' });
    expect(error.message).toContain(type);
    expect(error.message).toContain(message);
    expect(ses.requests).toBe(1);
  });

  it.each([
    [429, 'TooManyRequestsException'],
    [400, 'ThrottlingException'],
    [400, 'LimitExceededException'],
    [500, 'InternalFailure'],
    [503, 'ServiceUnavailable'],
  ])('%i %s is worth another try', async (status, type) => {
    ses = await startFaultySes(sesError(status, type, 'later'));
    const error = await failureOf(transportTo(ses.endpoint).send(aMail()));
    expect(error).toMatchObject({ permanent: false, code: 'mail_unreachable' });
    expect(ses.requests).toBeLessThanOrEqual(2);
  });

  it('is asked for its account, and one whose sending is paused is told', async () => {
    ses = await startFaultySes((_request, response) => response.end(JSON.stringify({ SendingEnabled: false })));
    expect(await failureOf(transportTo(ses.endpoint).check())).toMatchObject({ permanent: true });
  });

  it('may forbid the question about the account: sending may be allowed all the same', async () => {
    ses = await startFaultySes(sesError(403, 'AccessDeniedException', 'ses:GetAccount'));
    await expect(transportTo(ses.endpoint).check()).resolves.toBeUndefined();
  });
});

describe('SES that does not answer', () => {
  it.each([
    ['hangs', hangs],
    ['resets the connection', resets],
  ])('%s: given up in bounded time and attempts, and worth another try', async (_what, behaviour) => {
    const server = await startRawServer(behaviour);
    const error = await failureOf(transportTo(`http://127.0.0.1:${server.port}`, TOO_LATE_MS).send(aMail()));
    expect(error).toMatchObject({ permanent: false, code: 'mail_unreachable' });
    expect(server.connections).toBeLessThanOrEqual(2);
    await server.stop();
  });
});
