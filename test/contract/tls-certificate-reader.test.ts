import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createSecureContext, createServer } from 'node:tls';
import { createTlsCertificateReader } from '../../src/adapters/tls/tls-certificate-reader';
import { freePort } from '../lab/free-port';
import { certificateWith } from '../support/make-certificate';
import { certificateReaderContract } from './certificate-reader.contract';

certificateReaderContract('a TLS connection', async () => {
  // Ended long ago: it is looked at all the same.
  const own = certificateWith(new Date(), { left: -400 });
  const other = certificateWith(new Date(), { names: ['fallback.example.org'] });
  const opened: Server[] = [];
  const connections: Socket[] = [];
  const listen = async (server: Server): Promise<{ host: string; port: number }> => {
    opened.push(server);
    server.on('connection', (socket: Socket) => {
      socket.on('error', () => undefined);
      connections.push(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  };
  const withName = createServer({
    cert: other.pem,
    key: other.key,
    SNICallback: (name, done) =>
      done(null, name === 'git.example.org' ? createSecureContext({ cert: own.pem, key: own.key }) : undefined),
  });
  const plain = createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const mute = createTcpServer((socket) => socket.resume());
  return {
    reader: createTlsCertificateReader({ answerWithinMs: 1_000 }),
    server: await listen(withName),
    name: 'git.example.org',
    certificate: own.der,
    silent: {
      nobody: { host: '127.0.0.1', port: await freePort() },
      'no TLS': await listen(plain),
      never: await listen(mute),
    },
    takeDown: () => {
      for (const connection of connections) connection.destroy();
      return Promise.all(opened.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
});
