import { createSmtpTransport } from '../../src/adapters/mail-smtp/smtp-transport';
import { silentLogger } from '../../src/lib/logger';
import { Secret } from '../../src/lib/secret';
import { parseEml } from '../support/parse-eml';
import { startSmtpServer } from '../support/smtp-server';
import { mailTransportContract } from './mail-transport.contract';

mailTransportContract('mail-smtp', async () => {
  const server = await startSmtpServer();
  let up = true;
  const takeDown = async (): Promise<void> => {
    if (up) await server.stop();
    up = false;
  };
  return {
    transport: createSmtpTransport({
      url: new Secret(`smtp://127.0.0.1:${server.port}`),
      logger: silentLogger,
      timeoutMs: 60_000,
    }),
    received: () => Promise.all(server.received.map(async ({ raw, to }) => ({ ...(await parseEml(raw)), to }))),
    takeDown,
    close: takeDown,
  };
});
