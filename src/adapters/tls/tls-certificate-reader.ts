import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { BOUNDS } from '../../domain/bounds';
import { PilotError } from '../../domain/errors';
import type { AskedServer, CertificateReader } from '../../ports/certificates';

const ANSWER_WITHIN_MS: number = BOUNDS.servedCertificate.ms;

export function createTlsCertificateReader({ answerWithinMs = ANSWER_WITHIN_MS } = {}): CertificateReader {
  return { served: (at) => fetchCertificate(at, answerWithinMs) };
}

/** For a client whose address is not given (PROXY protocol, version 1). */
const PROXY_HEADER = 'PROXY UNKNOWN\r\n';

function fetchCertificate(asked: AskedServer, withinMs: number): Promise<Buffer> {
  const { port, name } = asked;
  return new Promise((resolve, reject) => {
    const { plain, socket } = dial(asked);
    // Also while it connects, and when it is spoken to in drops: the whole question has this time.
    const late = setTimeout(() => fail(`no answer within ${withinMs / 1000} s`), withinMs);
    const fail = (why: string, cause?: unknown): void => {
      clearTimeout(late);
      socket.destroy();
      plain?.destroy();
      reject(unreadable(name, port, why, cause));
    };
    const broken = (error: NodeJS.ErrnoException): void => fail(error.code ?? error.message, error);
    socket.once('error', broken);
    plain?.once('error', broken);
    socket.once('close', () => fail('it closed the connection'));
    socket.once('secureConnect', () => {
      const { raw } = socket.getPeerCertificate() as { raw?: Buffer };
      if (raw === undefined) return fail('it presented no certificate');
      clearTimeout(late);
      resolve(raw);
      socket.destroy();
      plain?.destroy();
    });
  });
}

function dial({ host, port, name, proxyProtocol = false }: AskedServer): { plain: Socket | null; socket: TLSSocket } {
  const servername = isIP(name) === 0 ? name : '';
  const options = { servername, rejectUnauthorized: false };
  if (!proxyProtocol) return { plain: null, socket: connect({ host, port, ...options }) };
  const plain = connectPlain({ host, port });
  plain.write(PROXY_HEADER);
  return { plain, socket: connect({ socket: plain, ...options }) };
}

function unreadable(name: string, port: number, why: string, cause: unknown): PilotError {
  return new PilotError('certificate_unreadable', `Port ${port} presents no certificate for ${name}: ${why}.`, {
    cause,
  });
}
