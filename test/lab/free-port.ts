import { randomInt } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';

/** Below those that the system and Docker give out: whoever asks for any port may get one of them while its owner restarts. */
const [FIRST, LAST] = [15_000, 32_000];
const TRIES = 50;

/** A port of 127.0.0.1 that nobody listens on right now, and that nobody gets by chance; rejects when `wanted` is taken. */
export async function freePort(wanted?: number): Promise<number> {
  if (wanted !== undefined) return listenedOnce(wanted);
  for (let tried = 1; ; tried++) {
    try {
      return await listenedOnce(randomInt(FIRST, LAST));
    } catch (error) {
      if (tried === TRIES) throw error;
    }
  }
}

function listenedOnce(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
