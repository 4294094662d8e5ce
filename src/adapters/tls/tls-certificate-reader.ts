import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { BOUNDS } from '../../domain/bounds';
import { PilotError } from '../../domain/errors';
import type { CertificateReader } from '../../ports/certificate-reader';

const ANSWER_WITHIN_MS: number = BOUNDS.servedCertificate.ms;

export function createTlsCertificateReader({ answerWithinMs = ANSWER_WITHIN_MS } = {}): CertificateReader {
  return { served: (at) => ask(at, answerWithinMs) };
}

function ask({ host, port, name }: Parameters<CertificateReader['served']>[0], withinMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const servername = isIP(name) === 0 ? name : '';
    const socket = connect({ host, port, servername, rejectUnauthorized: false });
    // Also while it connects, and when it is spoken to in drops: the whole question has this time.
    const late = setTimeout(() => fail(`no answer within ${withinMs / 1000} s`), withinMs);
    const fail = (why: string, cause?: unknown): void => {
      clearTimeout(late);
      socket.destroy();
      reject(unreadable(name, port, why, cause));
    };
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message, error));
    socket.once('close', () => fail('it closed the connection'));
    socket.once('secureConnect', () => {
      const { raw } = socket.getPeerCertificate() as { raw?: Buffer };
      if (raw === undefined) return fail('it presented no certificate');
      clearTimeout(late);
      resolve(raw);
      socket.destroy();
    });
  });
}

function unreadable(name: string, port: number, why: string, cause: unknown): PilotError {
  return new PilotError('certificate_unreadable', `Port ${port} presents no certificate for ${name}: ${why}.`, {
    cause,
  });
}
