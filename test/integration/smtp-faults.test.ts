import type { SMTPServerOptions } from 'smtp-server';
import { createSmtpTransport } from '../../src/adapters/mail-smtp/smtp-transport';
import { Secret } from '../../src/lib/secret';
import type { MailTransport } from '../../src/ports/mail-transport';
import { aMail, failureOf } from '../support/mail-builder';
import { hangs, resets, resetsAtOnce, startRawServer } from '../support/raw-server';
import { recordingLogger, type LogLine } from '../support/recording-logger';
import { smtpError, startSmtpServer, type TestSmtpServer } from '../support/smtp-server';

/** Of what never answers: nothing here answers in time or not. */
const TOO_LATE_MS = 300;

let server: TestSmtpServer | null = null;
afterEach(async () => {
  await server?.stop();
  server = null;
});

async function serverThat(options: SMTPServerOptions): Promise<TestSmtpServer> {
  server = await startSmtpServer(options);
  return server;
}

function transportTo(address: string, timeoutMs = 60_000): { transport: MailTransport; lines: LogLine[] } {
  const { logger, lines } = recordingLogger();
  return { transport: createSmtpTransport({ url: new Secret(address), logger, timeoutMs }), lines };
}

const refuses =
  (code: number) =>
  (_address: unknown, _session: unknown, done: (error: Error) => void): void =>
    done(smtpError(code, 'no'));

describe('an SMTP server that refuses', () => {
  it.each<[string, SMTPServerOptions, boolean]>([
    ['the sender for good', { onMailFrom: refuses(550) }, true],
    ['the sender for now', { onMailFrom: refuses(451) }, false],
    ['the only recipient for good', { onRcptTo: refuses(550) }, true],
    ['the only recipient for now (greylisting)', { onRcptTo: refuses(450) }, false],
    ['every connection with 554', { onConnect: (_session, done) => done(smtpError(554, 'no')) }, false],
    ['every connection with 421', { onConnect: (_session, done) => done(smtpError(421, 'busy')) }, false],
  ])('%s', async (_what, options, permanent) => {
    const { port } = await serverThat(options);
    const error = await failureOf(transportTo(`smtp://127.0.0.1:${port}`).transport.send(aMail()));
    expect(error).toMatchObject({ permanent, code: permanent ? 'mail_refused' : 'mail_unreachable' });
  });

  it.each([
    ['552 is permanent', 552, true],
    ['452 is worth another try', 452, false],
  ])('the message: %s', async (_what, code, permanent) => {
    const { port } = await serverThat({
      onData: (stream, _session, done) => {
        stream.resume();
        stream.on('end', () => done(smtpError(code, 'no room')));
      },
    });
    const error = await failureOf(transportTo(`smtp://127.0.0.1:${port}`).transport.send(aMail()));
    expect(error.permanent).toBe(permanent);
  });

  it('a wrong password is permanent, and the password is nowhere in the error', async () => {
    const { port } = await serverThat({
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(smtpError(535, 'wrong credentials')),
    });
    const { transport } = transportTo(`smtp://ops:hunter2@127.0.0.1:${port}`);
    for (const work of [() => transport.send(aMail()), () => transport.check()]) {
      const error = await failureOf(work());
      expect(error.permanent).toBe(true);
      expect(error.message).not.toContain('hunter2');
      expect(error.message).toContain('PILOT_MAIL_URL');
    }
  });

  it('one recipient of two for good: the other gets the mail once, and the log says whom it missed', async () => {
    const { port, received } = await serverThat({
      onRcptTo: ({ address }, _session, done) =>
        done(address === 'gone@example.org' ? smtpError(550, 'no') : undefined),
    });
    const { transport, lines } = transportTo(`smtp://127.0.0.1:${port}`);
    await transport.send(aMail({ to: ['ops@example.org', 'Gone <gone@example.org>'] }));
    expect(received.map(({ to }) => to)).toEqual([['ops@example.org']]);
    expect(lines).toEqual([expect.objectContaining({ level: 'error' })]);
    expect(JSON.stringify(lines)).toContain('gone@example.org');
  });

  it('one recipient of two for now: the second try goes to that one only', async () => {
    let tries = 0;
    const { port, received } = await serverThat({
      onRcptTo: ({ address }, _session, done) =>
        done(address === 'grey@example.org' && (tries += 1) === 1 ? smtpError(450, 'later') : undefined),
    });
    const { transport } = transportTo(`smtp://127.0.0.1:${port}`);
    const mail = aMail({ to: ['ops@example.org', 'grey@example.org'] });
    expect(await failureOf(transport.send(mail))).toMatchObject({ permanent: false });
    await transport.send(mail);
    expect(received.map(({ to }) => to)).toEqual([['ops@example.org'], ['grey@example.org']]);
  });
});

describe('an SMTP server that does not answer', () => {
  it.each([
    ['hangs', hangs],
    ['resets the connection', resetsAtOnce],
    [
      'resets it in the middle',
      (socket: Parameters<typeof resets>[0]) => {
        socket.write('220 hello\r\n');
        resets(socket);
      },
    ],
  ])('%s: given up in bounded time, and worth another try', async (_what, behaviour) => {
    const raw = await startRawServer(behaviour);
    const error = await failureOf(transportTo(`smtp://127.0.0.1:${raw.port}`, TOO_LATE_MS).transport.send(aMail()));
    expect(error).toMatchObject({ permanent: false, code: 'mail_unreachable' });
    await raw.stop();
  });
});
